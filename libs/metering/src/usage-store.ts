import { Decimal, emptyAccrual, text, ZERO, type AccrualState } from '@drawdown/billing-core';
import { together, type SetTx, type Tx } from '@drawdown/platform';
import type { UsageItem } from '@drawdown/subscriptions';
import { sql } from 'kysely';
import type { StoredDraw } from './accrual.entity.js';
import { accrualKey, NEW_SHORTFALL, type OpenAccrual } from './open-accrual.js';

interface OpenAccrualRow {
  subscription_id: string;
  line_item_id: string;
  period_id: string;
  customer_id: string;
  currency: string;
  kind: 'trial' | 'paid';
  start_at: string;
  end_at: string;
  closed: boolean;
  settled: boolean;
  /** Null, as all that follow, while nothing was used. */
  state: AccrualState | null;
  events: string;
  quantity: string;
  free: string;
  billable: string;
  covered: string;
  credits: string;
  shortfall: string;
  waived: string;
  draws: StoredDraw[];
  short_no: string | null;
  free_before: string;
  eventless: string;
  late: boolean;
}

const columns = sql`
  p.subscription_id, p.customer_id, p.currency, p.kind, p.start_at, p.end_at, p.closed_at is not null closed,
  p.settled_at is not null settled, a.state, a.events, a.quantity, a.free, a.billable, a.covered, a.credits,
  a.shortfall, a.waived, a.draws, a.short_no, a.free_before, a.eventless, a.late`;

/**
 * What the fold works on, by `accrualKey`: the accruals of these items' periods, whether or not something was used,
 * and every open shortfall of the customers, which credits that come back pay. One query, by ids that are this
 * environment's; `offset 0` keeps every step a look-up of one row, whatever a planner without statistics believes.
 */
export function loadAccruals(
  tx: Tx,
  items: readonly UsageItem[],
  customerIds: readonly string[],
): Promise<Map<string, OpenAccrual>> {
  return together(tx, accrualsOf, { items, customerIds });
}

interface Wanted {
  readonly items: readonly UsageItem[];
  /** Those the items are of among them. */
  readonly customerIds: readonly string[];
}

async function accrualsOf(tx: SetTx, asked: readonly Wanted[]): Promise<Map<string, OpenAccrual>[]> {
  const items = asked.flatMap((one) => one.items);
  const customerIds = asked.flatMap((one) => one.customerIds);
  const found = await sql<OpenAccrualRow>`
    select i.line_item_id, i.period_id, ${columns}
    from unnest(${items.map((item) => item.lineItemId)}::text[], ${items.map((item) => item.period.id)}::text[])
      i(line_item_id, period_id)
    cross join lateral (select * from usage_period where id = i.period_id offset 0) p
    left join lateral (
      select * from accrual where line_item_id = i.line_item_id and period_id = i.period_id offset 0) a on true
    union all
    select a.line_item_id, a.period_id, ${columns}
    from accrual a cross join lateral (select * from usage_period where id = a.period_id offset 0) p
    where a.customer_id = any(${customerIds}::text[]) and a.short_no is not null and p.closed_at is null`.execute(
    tx.db,
  );
  const byCustomer = Map.groupBy(found.rows, (row) => row.customer_id);
  return asked.map((one) => {
    const rows = one.customerIds.flatMap((id) => byCustomer.get(id) ?? []);
    return new Map(rows.map((row) => [accrualKey(row.line_item_id, row.period_id), openAccrual(row)]));
  });
}

const openAccrual = (row: OpenAccrualRow): OpenAccrual => ({
  subscriptionId: row.subscription_id,
  lineItemId: row.line_item_id,
  periodId: row.period_id,
  customerId: row.customer_id,
  currency: row.currency,
  period: {
    kind: row.kind,
    start: new Date(row.start_at),
    end: new Date(row.end_at),
    closed: row.closed,
    settled: row.settled,
  },
  ...(row.state === null ? unused() : used(row, row.state)),
});

const unused = () => ({
  state: emptyAccrual(),
  events: 0,
  quantity: ZERO,
  free: ZERO,
  billable: ZERO,
  cover: { covered: ZERO, credits: ZERO, shortfall: ZERO },
  draws: [],
  shortNo: null,
  freeBefore: ZERO,
  eventless: ZERO,
  late: false,
});

const used = (row: OpenAccrualRow, state: AccrualState) => ({
  state,
  events: Number(row.events),
  quantity: new Decimal(row.quantity),
  free: new Decimal(row.free),
  billable: new Decimal(row.billable),
  cover: {
    covered: new Decimal(row.covered),
    credits: new Decimal(row.credits),
    shortfall: new Decimal(row.kind === 'trial' ? row.waived : row.shortfall),
  },
  draws: row.draws.map(({ lotId, credits }) => ({ lotId, credits: new Decimal(credits) })),
  shortNo: row.short_no === null ? null : Number(row.short_no),
  freeBefore: new Decimal(row.free_before),
  eventless: new Decimal(row.eventless),
  late: row.late,
});

/** Of usage that came only after its period was settled. */
const NOTHING_BILLED = JSON.stringify({ quantity: '0', free: '0', accrued: '0', covered: '0', waived: '0' });

/** Writes accruals as the fold has left them; new shortfalls are numbered in their order here. One statement. */
export async function saveAccruals(tx: Tx, accruals: readonly OpenAccrual[]): Promise<void> {
  if (accruals.length === 0) return;
  await sql`
    insert into accrual (
      environment_id, line_item_id, period_id, tenant_id, customer_id, currency, state, events, quantity, free,
      billable, accrued, covered, credits, shortfall, waived, draws, short_no, free_before, eventless, billed, late,
      created_at, updated_at)
    select ${tx.scope.environmentId}, line_item_id, period_id, ${tx.scope.tenantId}, customer_id, currency, state,
           events, quantity, free, billable, accrued, covered, credits, shortfall, waived, draws,
           case when shortfall > 0 then coalesce(short_no, nextval('shortfall_no')) end, free_before, eventless,
           case when late then ${NOTHING_BILLED}::jsonb end, late, ${tx.now}, ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(accruals.map(accrualRow))}::jsonb) a(
      line_item_id text, period_id text, customer_id text, currency text, state jsonb, events bigint,
      quantity numeric, free numeric, billable numeric, accrued numeric, covered numeric, credits numeric,
      shortfall numeric, waived numeric, draws jsonb, short_no bigint, free_before numeric, eventless numeric, late boolean)
    on conflict (line_item_id, period_id) do update
    set state = excluded.state, events = excluded.events, quantity = excluded.quantity, free = excluded.free,
        billable = excluded.billable, accrued = excluded.accrued, covered = excluded.covered,
        credits = excluded.credits, shortfall = excluded.shortfall, waived = excluded.waived,
        draws = excluded.draws, updated_at = excluded.updated_at, free_before = excluded.free_before,
        eventless = excluded.eventless, late = excluded.late, billed = coalesce(accrual.billed, excluded.billed),
        short_no = excluded.short_no`.execute(tx.db);
}

/** A trial's shortfall is waived as it arises (MEANING "Lots, burn order, balances"). */
function accrualRow({ cover, shortNo, ...accrual }: OpenAccrual) {
  const trial = accrual.period.kind === 'trial';
  return {
    line_item_id: accrual.lineItemId,
    period_id: accrual.periodId,
    customer_id: accrual.customerId,
    currency: accrual.currency,
    state: accrual.state,
    events: accrual.events,
    quantity: text(accrual.quantity),
    free: text(accrual.free),
    billable: text(accrual.billable),
    accrued: accrual.state.accrued,
    covered: text(cover.covered),
    credits: text(cover.credits),
    shortfall: trial ? '0' : text(cover.shortfall),
    waived: trial ? text(cover.shortfall) : '0',
    short_no: shortNo !== null && shortNo < NEW_SHORTFALL ? shortNo : null,
    free_before: text(accrual.freeBefore),
    eventless: text(accrual.eventless),
    late: accrual.late,
    draws: accrual.draws.map(({ lotId, credits }) => ({ lotId, credits: text(credits) })),
  };
}
