import { invariant, type Invariant } from '@drawdown/platform';
import { sql } from 'kysely';

export const invoicingInvariants: readonly Invariant[] = [
  invariant(
    'the total of an invoice is the sum of its lines',
    sql`select i.id || ' totals ' || i.total || ', its lines ' || coalesce(sum(l.due), 0) violation
        from invoice i left join invoice_line l on l.environment_id = i.environment_id and l.invoice_id = i.id
        where i.status <> 'DRAFT'
        group by i.environment_id, i.id
        having i.total - i.account_credit_given <> coalesce(sum(l.due), 0) or i.subtotal <> coalesce(sum(l.gross), 0)
            or i.total_credits_applied <> coalesce(sum(l.credits_applied), 0)`,
  ),
  invariant(
    'what invoices say of account credit is what its entries say, and only an invoice that asks nothing is put off',
    sql`select i.id || ' gives ' || i.account_credit_given || ', takes ' || i.account_credit_applied
               || ' and puts off ' || i.account_carried violation
        from invoice i
        left join account_credit_entry e on e.environment_id = i.environment_id and e.invoice_id = i.id and e.kind not in ('returned', 'paid_out', 'paid_back')
        group by i.environment_id, i.id
        having i.account_credit_given - i.account_credit_applied - i.account_carried <> coalesce(sum(e.amount), 0)
        union all
        select id || ' is put off, and asks for ' || amount_remaining from invoice
        where account_carried > 0 and (amount_remaining > 0 or amount_paid > 0)`,
  ),
  invariant(
    'the numbers of a month run without a gap',
    sql`select n.environment_id || ' ' || n.month || ': the counter is at ' || n.last || ', the invoices are ' || count(i.id) violation
        from invoice_number n
        left join invoice i on i.environment_id = n.environment_id and i.number like 'INV-' || n.month || '-%'
        group by n.environment_id, n.month, n.last having count(i.id) <> n.last`,
  ),
  invariant(
    'what an invoice says was paid is what was received for it',
    sql`select i.id || ' says ' || i.amount_paid || ' + ' || i.overpaid_amount || ', received ' || coalesce(sum(r.amount), 0) violation
        from invoice i
        left join payment_receipt r on r.environment_id = i.environment_id and r.invoice_id = i.id
        group by i.environment_id, i.id
        having i.amount_paid + i.overpaid_amount <> coalesce(sum(r.amount), 0)`,
  ),
  invariant(
    'an invoice is charged once: more than it asks is received only where it says so',
    sql`select i.id || ' was charged ' || count(*) || ' times' violation
        from invoice i join payment_receipt r on r.environment_id = i.environment_id and r.invoice_id = i.id
        join payment p on p.environment_id = r.environment_id and p.id = r.payment_id and p.method_type in ('CARD', 'PAYMENT_LINK')
        group by i.environment_id, i.id having count(*) > 1 and i.overpaid_amount = 0`,
  ),
  invariant(
    'what goes back is what the invoice says, and never more than was received',
    sql`select i.id || ' says ' || i.refunded_amount || ' and ' || i.disputed_amount || ', but ' || r.refunded || ' and ' || d.disputed violation
        from invoice i
        cross join lateral (
          select coalesce(sum(amount), 0) refunded from refund
          where environment_id = i.environment_id and invoice_id = i.id and state <> 'failed') r
        cross join lateral (
          select coalesce(sum(amount), 0) disputed from dispute
          where environment_id = i.environment_id and invoice_id = i.id and stage <> 'won') d
        where i.refunded_amount <> r.refunded or i.disputed_amount <> d.disputed
           or r.refunded + d.disputed > i.amount_paid + i.overpaid_amount`,
  ),
  invariant(
    'a refund whose outcome is not known is asked about',
    sql`select r.id || ' is ' || r.state violation
        from refund r
        left join due_work w on w.environment_id = r.environment_id and w.kind = 'refund.retry' and w.subject_id = r.id
        where r.request is not null and (w.subject_id is null) <> (r.state in ('succeeded', 'failed'))
          and not exists (select from outbox_event e join outbox_delivery d on d.event_seq = e.seq
                          where e.environment_id = r.environment_id and e.name = 'refund.left_open'
                            and e.payload ->> 'refund_id' = r.id and d.status = 'pending')`,
  ),
  invariant(
    'every paid credit purchase is one lot, no unpaid one is any',
    sql`select p.id || ' is ' || p.state || ', its invoice ' || i.payment_status violation
        from credit_purchase p
        join invoice i on i.environment_id = p.environment_id and i.id = p.invoice_id
        left join lot l on l.environment_id = p.environment_id and l.id = p.lot_id
        where (p.state in ('granted', 'stranded')) <> (i.paid_at is not null) or (p.state = 'granted') <> (l.id is not null)
           or l.granted <> p.credits`,
  ),
  invariant(
    'what a wallet says its automatic top-up has ordered is its one unpaid automatic purchase',
    sql`select w.id || ' says ' || coalesce(w.auto_topup_state ->> 'invoice_id', 'nothing') || ', pending is '
               || coalesce(p.invoice_id, 'nothing') violation
        from wallet w left join credit_purchase p on p.environment_id = w.environment_id and p.wallet_id = w.id
          and p.automatic and p.state = 'pending'
        where (w.auto_topup_state ->> 'invoice_id') is distinct from p.invoice_id`,
  ),
  invariant(
    'the credits that paid fees are those that their invoices show, and none of a withdrawn one',
    sql`select i.id || ' shows ' || l.shown || ' paid by credits, the ledger ' || e.drawn violation
        from invoice i
        cross join lateral (
          select coalesce(sum(l.credits_applied), 0) shown from invoice_line l
          where l.environment_id = i.environment_id and l.invoice_id = i.id and l.price_type = 'FIXED') l
        cross join lateral (
          select coalesce(sum(-e.credits * w.conversion_rate), 0) drawn
          from ledger_entry e join wallet w on w.environment_id = e.environment_id and w.id = e.wallet_id
          where e.environment_id = i.environment_id and e.cause_type = 'invoice' and e.cause_id = i.id
            and e.kind in ('fee', 'fee_return')) e
        where i.status <> 'DRAFT' and abs(e.drawn - case i.status when 'VOIDED' then 0 else l.shown end) > 0.5`,
  ),
  invariant(
    'what was declined is asked for again, and what is asked for again is owed',
    sql`select i.id || ' is ' || i.payment_status || ', its dunning ' || coalesce(d.state, 'none') violation
        from invoice i
        left join dunning d on d.environment_id = i.environment_id and d.invoice_id = i.id
        left join due_work w on w.environment_id = d.environment_id and w.kind = 'dunning.step' and w.subject_id = d.id
        left join subscription s on s.environment_id = i.environment_id and s.id = i.subscription_id
        where (d.state = 'running' and (i.status <> 'FINALIZED' or i.paid_at is not null))
           or (d.state = 'running' and (w.subject_id is null) <> (d.steps_taken = jsonb_array_length(d.steps)))
           or (d.state <> 'running' and w.subject_id is not null)
           or (d.id is null and i.type <> 'CREDIT' and i.status = 'FINALIZED' and i.payment_status = 'FAILED'
               and s.status is distinct from 'incomplete' and s.cancel_reason is distinct from 'incomplete')`,
  ),
  invariant(
    'the lines of a commitment come to what the billed usage of its period is beyond or below what was promised',
    sql`select p.id || ' of ' || coalesce(t.item_id, s.id) || ': ' || u.used || ' of ' || c.promised || ' used, its lines come to ' || l.charged violation
        from invoice i
        join subscription s on s.environment_id = i.environment_id and s.id = i.subscription_id
        join subscription_period p on p.environment_id = i.environment_id and p.id = i.ended_period_id and p.kind = 'paid'
        cross join lateral (
          select null::text item_id, s.commitment_amount amount, s.overage_factor factor, s.true_up, p.start_at, p.end_at
          where s.commitment_amount is not null
          union all
          select f.id, (f.commitment ->> 'amount')::numeric, (f.commitment ->> 'overage_factor')::numeric,
                 (f.commitment ->> 'true_up')::boolean, greatest(f.start_date, p.start_at), least(f.end_date, p.end_at)
          from subscription_line_item f
          where f.environment_id = s.environment_id and f.subscription_id = s.id and f.commitment is not null
            and greatest(f.start_date, p.start_at) < least(f.end_date, p.end_at)) t
        cross join lateral (
          select coalesce(sum((a.billed ->> 'accrued')::numeric), 0) used from accrual a
          where a.environment_id = p.environment_id and a.period_id = p.id
            and (t.item_id is null or a.line_item_id = t.item_id)) u
        cross join lateral (
          select coalesce(sum(l.gross), 0) charged, count(*) lines from invoice_line l
          where l.environment_id = p.environment_id and l.subscription_id = s.id and l.commitment ->> 'period_id' = p.id
            and l.line_item_id is not distinct from t.item_id) l
        cross join lateral (
          select round(t.amount * extract(epoch from t.end_at - t.start_at)
                       / extract(epoch from p.whole_end - p.whole_start), 12) promised) c
        where i.status <> 'DRAFT'
          and abs(l.charged - greatest(u.used - c.promised, 0) * (t.factor - 1)
                  - case when t.true_up then greatest(c.promised - u.used, 0) else 0 end) > 0.5 * greatest(l.lines, 1)`,
  ),
  invariant(
    'the fee of a running period is on an invoice',
    sql`select p.id || ' of ' || p.subscription_id violation
        from subscription_period p join subscription s on s.environment_id = p.environment_id and s.id = p.subscription_id
        where p.kind = 'paid' and p.status = 'open'
          and not exists (select from subscription_period e
                          where e.environment_id = p.environment_id and e.subscription_id = p.subscription_id
                            and e.kind = 'paid' and e.whole_start = p.whole_start and e.number < p.number and not e.rest_credited)
          and not exists (select from invoice i where i.environment_id = p.environment_id and i.period_id = p.id
                            and i.kind in ('start', 'cycle'))
          and exists (select from subscription_line_item f where f.environment_id = s.environment_id
                        and f.subscription_id = s.id and f.price_type = 'FIXED' and f.invoice_cadence = 'ADVANCE' and not f.once
                        and f.fee_from <= p.start_at and coalesce(f.fee_until, f.end_date, 'infinity') > p.start_at and (f.price ->> 'amount')::numeric > 0)`,
  ),
];
