import { invariant, type Invariant } from '@drawdown/platform';
import { sql } from 'kysely';
import { accrualsAgreeWithTheirEvents } from './accrual-audit.js';

export const meteringInvariants: readonly Invariant[] = [
  accrualsAgreeWithTheirEvents,
  invariant(
    'what usage costs is covered, short or waived, to the last digit',
    sql`select line_item_id || ' in ' || period_id || ': ' || accrued || ' <> ' || covered || ' + ' || shortfall || ' + ' || waived violation
        from accrual where accrued <> covered + shortfall + waived`,
  ),
  invariant(
    'the credits an accrual has drawn are what the ledger says it drew',
    sql`select a.line_item_id || ' in ' || a.period_id || ' drew ' || a.credits || ', the ledger says ' || coalesce(-e.credits, 0) violation
        from accrual a
        left join (select environment_id, line_item_id, period_id, sum(credits) credits from ledger_entry
                   where kind in ('burn', 'return') group by 1, 2, 3) e
          on e.environment_id = a.environment_id and e.line_item_id = a.line_item_id and e.period_id = a.period_id
        where a.credits <> coalesce(-e.credits, 0)`,
  ),
  invariant(
    'what usage costs is the sum of what its events cost and of what it cost without one',
    sql`select a.line_item_id || ' in ' || a.period_id || ' costs ' || a.accrued || ', its events ' || coalesce(u.amount, 0) violation
        from accrual a
        left join (select e.environment_id, m ->> 'line_item_id' line_item_id, m ->> 'period_id' period_id,
                          sum((m ->> 'amount')::numeric) amount
                   from usage_event e, jsonb_array_elements(e.attribution) m
                   where m ->> 'reason' is null group by 1, 2, 3) u
          on u.environment_id = a.environment_id and u.line_item_id = a.line_item_id and u.period_id = a.period_id
        where a.accrued <> coalesce(u.amount, 0) + a.eventless`,
  ),
];
