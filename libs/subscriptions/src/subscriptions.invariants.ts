import { invariant, type Invariant } from '@drawdown/platform';
import { sql } from 'kysely';

export const subscriptionInvariants: readonly Invariant[] = [
  invariant(
    'the periods of a subscription tile its time: no overlap, no gap but its pauses, numbered from 1',
    sql`select subscription_id || ': period ' || number || ' from ' || start_at || ' follows ' || coalesce(previous_end::text, 'nothing') violation
        from (select *, lag(end_at) over w previous_end, row_number() over w place
              from subscription_period window w as (partition by environment_id, subscription_id order by number)) p
        where place <> number
          or (number > 1 and start_at is distinct from previous_end
            and not exists (select from subscription_pause x
              where x.environment_id = p.environment_id and x.subscription_id = p.subscription_id
                and x.start_at = p.previous_end and x.resumed_at = p.start_at))`,
  ),
  invariant(
    'a running subscription has exactly one open period, and something that will close it',
    sql`select s.id || ' has ' || count(p.id) || ' open periods' violation
        from subscription s
        left join subscription_period p
          on p.environment_id = s.environment_id and p.subscription_id = s.id and p.status = 'open'
        left join due_work d
          on d.environment_id = s.environment_id and d.subject_id = s.id and d.kind = 'period.close' and d.due_at = p.end_at
        where s.status in ('trialing', 'active', 'past_due')
        group by s.environment_id, s.id having count(p.id) <> 1 or count(d.subject_id) <> 1`,
  ),
  invariant(
    'a paused subscription has one pause that has begun and no open period; no other subscription has one',
    sql`select s.id || ' is ' || s.status violation
        from subscription s
        where (s.status = 'paused') <> exists (select from subscription_pause p
            where p.environment_id = s.environment_id and p.subscription_id = s.id and p.status = 'active')
          or (s.status = 'paused' and exists (select from subscription_period p
            where p.environment_id = s.environment_id and p.subscription_id = s.id and p.status = 'open'))`,
  ),
  invariant(
    'a planned change waits on the agenda for its instant, and no other does',
    sql`select c.id || ' is ' || c.status violation
        from subscription_schedule c
        left join due_work d
          on d.environment_id = c.environment_id and d.due_at = c.scheduled_at
          and (d.subject_id = c.id and d.kind = 'plan.change'
            or c.type = 'cancellation' and c.status = 'pending' and d.subject_id = c.subscription_id and d.kind = 'subscription.cancel')
        where (c.status = 'pending') <> (d.subject_id is not null)`,
  ),
  invariant(
    'every applied grant is one lot of its credits, no other grant is any',
    sql`select a.id || ' is ' || a.status || ' of ' || a.credits || ', its lot ' || coalesce(l.granted::text, 'missing') violation
        from credit_grant_application a
        left join lot l on l.environment_id = a.environment_id and l.business_key = 'grant:' || a.id
        where (a.status = 'applied' and a.credits > 0) <> (l.id is not null) or l.granted <> a.credits`,
  ),
];
