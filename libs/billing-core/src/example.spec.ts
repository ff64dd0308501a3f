/** MEANING.md, "The example, day by day": the Starter plan, its trial and its first paid month. */
import { type AccrualRule, type AccrualState, accrue, emptyAccrual, readAccrual } from './accrual.js';
import { type Cover, type LotState, burn, burnOrder, emptyCover, mayPay, payDown } from './burn-down.js';
import { Decimal, sum, text } from './decimal.js';
import { type GrantRule, type GrantStep, oneTimeGrant, recurringStep } from './grant-schedule.js';
import { draftInvoice } from './invoice-draft.js';
import { type BillingCycle, type Cadence, type Span, addDuration, nextPeriod, startPaidTime } from './period.js';
import { prorate } from './proration.js';

const d = (value: string | number) => new Decimal(value);
const MONTHLY: Cadence = { billingPeriod: 'MONTHLY', count: 1, zone: 'UTC' };
const START = new Date('2026-01-10T09:00:00Z');
const TRIAL: Span = { start: START, end: addDuration(START, 'DAY', 14, 'UTC') };

const TABLES: AccrualRule = {
  price: { model: 'FLAT_FEE', amount: d(10) },
  meter: {
    eventName: 'table_create',
    filters: [{ key: 'status', values: ['success'] }],
    aggregation: { type: 'COUNT' },
    resetUsage: 'BILLING_PERIOD',
  },
  allowance: d(5),
};
const ROWS: AccrualRule = {
  price: { model: 'FLAT_FEE', amount: d('1.5') },
  meter: {
    eventName: 'contact_enrich',
    filters: [],
    aggregation: { type: 'SUM', field: 'rows' },
    resetUsage: 'BILLING_PERIOD',
  },
  allowance: null,
};
const ONCE: GrantRule = {
  credits: d(100),
  cadence: 'ONETIME',
  period: null,
  periodCount: 1,
  expirationType: 'DURATION',
  expirationDuration: 14,
  expirationUnit: 'DAY',
};
const RENEWED: GrantRule = {
  ...ONCE,
  credits: d(2000),
  cadence: 'RECURRING',
  period: 'MONTHLY',
  expirationType: 'BILLING_CYCLE',
};

const lotOf = (step: GrantStep): LotState => ({
  id: step.at.toISOString(),
  walletId: 'w',
  priority: null,
  effectiveAt: step.at,
  expiresAt: step.expiresAt,
  purchased: false,
  createdAt: step.at,
  remaining: step.credits,
  held: d(0),
  rate: d(1),
});

/** A customer with one wallet: what its events and lots come to within one period. */
function wallet(lots: LotState[], period: Span) {
  const items = new Map<AccrualRule, { state: AccrualState; cover: Cover }>();
  const settle = (rule: AccrualRule, burnt: { cover: Cover; draws: { lotId: string; credits: Decimal }[] }) => {
    for (const { lotId, credits } of burnt.draws) {
      const lot = lots.find(({ id }) => id === lotId)!;
      lot.remaining = lot.remaining.minus(credits);
    }
    items.get(rule)!.cover = burnt.cover;
  };
  return {
    items,
    balance: (at: Date) =>
      text(sum(lots.filter((lot) => mayPay(lot, at, period.end)).map((lot) => lot.remaining.minus(lot.held)))),
    report(rule: AccrualRule, at: Date, properties: Record<string, unknown>) {
      const item = items.get(rule) ?? { state: emptyAccrual(), cover: emptyCover() };
      const result = accrue(rule, item.state, { at, arrival: 0, properties });
      if ('problem' in result) throw new Error(result.problem);
      items.set(rule, { ...item, state: result.state });
      const usable = burnOrder(lots.filter((lot) => mayPay(lot, at, period.end)));
      settle(rule, burn(item.cover, result.delta, usable, d(1)));
    },
    buy(lot: LotState) {
      lots.push(lot);
      for (const [rule, { cover }] of items) settle(rule, payDown(cover, [lot], d(1)));
    },
  };
}

describe('the trial', () => {
  it('begins with 100 credits; five tables 100, 20 rows 70, the sixth table 60', () => {
    const hour = new Date('2026-01-10T10:00:00Z');
    const trial = wallet([lotOf(oneTimeGrant(ONCE, TRIAL, 'UTC'))], TRIAL);
    expect(trial.balance(START)).toBe('100');
    for (let n = 0; n < 5; n++) trial.report(TABLES, hour, { status: 'success' });
    expect(trial.balance(hour)).toBe('100');
    trial.report(ROWS, hour, { rows: '20' });
    expect(trial.balance(hour)).toBe('70');
    trial.report(TABLES, hour, { status: 'success' });
    expect(trial.balance(hour)).toBe('60');
    expect(trial.balance(TRIAL.end)).toBe('0');
  });
});

describe.each<{ cycle: BillingCycle; prorated: boolean; fee: string; credits: string; end: string }>([
  { cycle: 'anniversary', prorated: true, fee: '149', credits: '2000', end: '2026-02-24T09:00:00.000Z' },
  { cycle: 'calendar', prorated: true, fee: '36.65', credits: '491.935483870968', end: '2026-02-01T00:00:00.000Z' },
  { cycle: 'calendar', prorated: false, fee: '149', credits: '2000', end: '2026-02-01T00:00:00.000Z' },
])('paid time by $cycle, prorated: $prorated', ({ cycle, prorated, fee, credits, end }) => {
  it(`begins on 24 Jan 09:00 with a fee of ${fee} and ${credits} credits until ${end}`, () => {
    const { firstPeriod, whole, ...timeline } = startPaidTime(TRIAL.end, cycle, MONTHLY);
    const gross = prorated ? prorate(d(149), firstPeriod, whole) : d(149);
    expect(text(draftInvoice([{ key: 'fee', gross, waived: d(0), credits: d(0) }], 'USD').total)).toBe(fee);
    const step = recurringStep(RENEWED, { ...timeline, firstPeriod, whole }, 'UTC', 0, prorated);
    expect(text(step.credits)).toBe(credits);
    expect(step.at).toEqual(TRIAL.end);
    expect(step.expiresAt?.toISOString()).toBe(end);
  });
});

describe('a paid month with 2,000 credits and 1,500 rows', () => {
  const month = (cycle: BillingCycle) => {
    const timeline = startPaidTime(TRIAL.end, cycle, MONTHLY);
    const period =
      cycle === 'calendar' ? nextPeriod(timeline.anchor, MONTHLY, timeline.firstPeriod) : timeline.firstPeriod;
    const step = recurringStep(RENEWED, timeline, 'UTC', cycle === 'calendar' ? 1 : 0, true);
    const noon = new Date(period.start.getTime() + 3 * 3_600_000);
    const paid = wallet([lotOf(step)], period);
    paid.report(ROWS, noon, { rows: '1500' });
    return { paid, noon, period, cover: () => paid.items.get(ROWS)!.cover };
  };

  it.each<BillingCycle>(['anniversary', 'calendar'])('burns 2000 and is 250 short (%s)', (cycle) => {
    const { paid, noon, cover } = month(cycle);
    expect(text(readAccrual(ROWS, paid.items.get(ROWS)!.state).accrued)).toBe('2250');
    expect([cover().covered, cover().shortfall].map(text)).toEqual(['2000', '250']);
    expect(paid.balance(noon)).toBe('0');
  });

  it.each<[BillingCycle, string]>([
    ['anniversary', '2026-02-24T09:00:00.000Z'],
    ['calendar', '2026-03-01T00:00:00.000Z'],
  ])('%s: closes at %s with 399 due and 2000 credits applied', (cycle, end) => {
    const { period, cover } = month(cycle);
    expect(period.end.toISOString()).toBe(end);
    const usage = { key: 'rows', gross: d(2250), waived: d(0), credits: cover().covered };
    const invoice = draftInvoice([{ key: 'fee', gross: d(149), waived: d(0), credits: d(0) }, usage], 'USD');
    expect([invoice.total, invoice.totalCreditsApplied].map(text)).toEqual(['399', '2000']);
  });

  it('new credits of the next period do not pay the 250 of the old one', () => {
    const { noon, period } = month('anniversary');
    expect(mayPay({ effectiveAt: period.end, expiresAt: null }, noon, period.end)).toBe(false);
  });

  it('500 bought credits pay the shortfall and leave 250; nothing is due for usage', () => {
    const { paid, noon, cover } = month('anniversary');
    const step = { index: 0, at: noon, stepEnd: null, credits: d(500), expiresAt: null };
    paid.buy({ ...lotOf(step), purchased: true });
    expect(paid.balance(noon)).toBe('250');
    expect([cover().covered, cover().shortfall].map(text)).toEqual(['2250', '0']);
  });
});
