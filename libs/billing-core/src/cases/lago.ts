import {
  type AccrualRule,
  type AccrualState,
  accrue,
  accrueUntil,
  carryOver,
  emptyAccrual,
  openWith,
} from '../accrual.js';
import type { Aggregation } from '../aggregate.js';
import { matches } from '../aggregate.js';
import { roundMoney } from '../currency.js';
import { type Decimal, ONE, sum } from '../decimal.js';
import { type Cadence, type Span, boundary, nextPeriod, periodContaining, startPaidTime } from '../period.js';
import { trialPeriod } from '../plan-change.js';
import type { UnitPrice } from '../price.js';
import { prorate, share } from '../proration.js';
import { type Check, type Facts, type Runner, type System, at, d, day, plain } from './case.js';
import { PERIODS, WALLETS } from './lago-wallets.js';
import { fold } from './openmeter-prices.js';

const cadenceOf = (given: Facts): Cadence => ({
  billingPeriod: PERIODS[given.plan.interval]!,
  count: 1,
  zone: given.customer?.timezone ?? 'UTC',
});
const timelineOf = (given: Facts) =>
  startPaidTime(at(given.subscription.start_at), given.subscription.billing_time, cadenceOf(given));

/** Their periods end a second before the next. */
const lastSecond = (end: Date) => new Date(end.getTime() - 1000).toISOString().replace('.000', '');
const firstSecond = (start: Date) => start.toISOString().replace('.000', '');

/** The period holding an instant, from the first (perhaps partial) one on. */
function periodAt(given: Facts, instant: Date): Span {
  const { anchor, firstPeriod } = timelineOf(given);
  return instant < firstPeriod.end ? firstPeriod : periodContaining(anchor, cadenceOf(given), instant);
}
/** What the newest invoice of a day covers: the period that opens (in advance) or the one that closed (in arrears). */
function invoiced(given: Facts, instant: Date): Span {
  const open = periodAt(given, instant);
  return given.plan.pay_in === 'advance' ? open : periodAt(given, new Date(open.start.getTime() - 1));
}
const comparePeriod = (got: Span, want: Facts, what = 'period'): Check[] => [
  [what, want.from ? firstSecond(got.start) : undefined, want.from],
  [what, want.to ? lastSecond(got.end) : undefined, want.to],
];
const billingPeriod: Runner = (given, expected) =>
  comparePeriod(invoiced(given, at(given.billing_run_at)), expected.invoice_period);

/** How many periods have closed by an instant. */
function closedBy(given: Facts, instant: Date): number {
  const { anchor, firstPeriod } = timelineOf(given);
  let count = 0;
  for (let period = firstPeriod; period.end <= instant; period = nextPeriod(anchor, cadenceOf(given), period)) count++;
  return count;
}

const cents = (amount: Decimal) => plain(roundMoney(amount, 'EUR'));
const firstFee: Runner = (given, expected) => {
  const { firstPeriod, whole } = timelineOf(given);
  const fee = expected.first_invoice_subscription_fee;
  return [['fee', cents(prorate(d(given.plan.amount), firstPeriod, whole)), plain(fee.amount)]];
};
/** Their price of a day is the amount over the days of the period that closed. */
const dayShare: Runner = (given, expected) => {
  const whole = invoiced(given, at(given.billing_run_at));
  const one = share(
    { start: whole.start, end: boundary(whole.start, { billingPeriod: 'DAILY', count: 1, zone: 'UTC' }, 1) },
    whole,
  );
  return [['days', plain(ONE.div(one).toDecimalPlaces(12)), String(expected.proration_denominator_days)]];
};

function priceOfCharge(charge: Facts): UnitPrice {
  if (charge.package_size) {
    return { model: 'PACKAGE', amount: d(charge.package_amount), divideBy: d(charge.package_size), round: 'up' };
  }
  if (!charge.tiers)
    return { model: 'FLAT_FEE', amount: charge.rate_percent ? d(charge.rate_percent).div(100) : d(charge.unit_amount) };
  const tiers = (charge.tiers as Facts[]).map((tier) => ({
    upTo: tier.to === null ? null : d(tier.to),
    unitAmount: tier.rate_percent ? d(tier.rate_percent).div(100) : d(tier.unit_amount),
    flatAmount: d(tier.flat_amount),
  }));
  return { model: 'TIERED', tierMode: 'SLAB', tiers };
}
const AGGREGATIONS: Record<string, Aggregation> = {
  count: { type: 'COUNT' },
  sum: { type: 'SUM', field: 'n' },
  weighted_sum: { type: 'WEIGHTED_SUM', field: 'n' },
};
const ruleOf = (charge: Facts, more: Partial<AccrualRule> = {}): AccrualRule => ({
  price: priceOfCharge(charge),
  allowance: charge.free_units ? d(charge.free_units) : null,
  meter: {
    eventName: 'e',
    filters: [],
    aggregation: AGGREGATIONS[charge.metric?.aggregation ?? 'sum']!,
    resetUsage: charge.metric?.recurring ? 'NEVER' : 'BILLING_PERIOD',
  },
  ...more,
});
/** Folds their events, each `times` times, and tells the accrued money and quantity after each. */
function told(rule: AccrualRule, events: Facts[], from: AccrualState = emptyAccrual()) {
  let state = from;
  const steps = events.flatMap((event) =>
    Array.from({ length: event.times ?? 1 }, (_, arrival) => {
      const properties = { n: event.value };
      const result = accrue(rule, state, { at: at(event.at ?? '2023-01-01'), arrival, properties });
      if ('problem' in result) throw new Error(result.problem);
      state = result.state;
      return result;
    }),
  );
  return { steps, state };
}

const samples: Runner = (given, expected) =>
  (expected.samples as Facts[])
    .filter((sample) => sample.units !== '0')
    .map((sample): Check => {
      const quantities = sample.event_values ?? [sample.units];
      const rule = ruleOf({ ...given.charge, metric: { aggregation: 'sum' } });
      const amount = fold(rule, quantities).at(-1)!.accrued;
      const perEvent = d(given.charge.fixed_per_event ?? 0).times(quantities.length);
      return [String(sample.units ?? quantities), plain(amount.plus(perEvent)), plain(sample.amount)];
    });

const weighted: Runner = (given, expected) => {
  const span = { start: at(given.period.from), end: new Date(at(given.period.to).getTime() + 1000) };
  const rule = ruleOf({ unit_amount: '1', metric: given.metric }, { span });
  const { total } = accrueUntil(rule, told(rule, given.events).state, span.end);
  if (expected.units) return [['units', plain(total), expected.units]];
  return [['units', plain(total.toDecimalPlaces(5)), expected.units_rounded_5]];
};

export const LAGO: System = {
  runners: {
    ...WALLETS,
    billing_period: billingPeriod,
    'lago-bp-049': (given, expected) => {
      let before = 0;
      return (expected.invoices_after_each_group as Facts[]).map(({ runs, total_invoices: total }): Check => {
        before = closedBy(given, at(runs.at(-1)));
        return [runs[0], before, total];
      });
    },
    'lago-bp-061': (given, expected) => {
      const closes = (given.billing_runs_at as string[]).map((run) =>
        day(new Date(invoiced(given, at(run)).end.getTime())),
      );
      return [
        ['closes on', closes, expected.one_invoice_on_each_of],
        ['in all', closedBy(given, at(given.billing_runs_at.at(-1))), expected.total_invoices],
      ];
    },
    'lago-bp-071': (given, expected) =>
      (expected.invoices as Facts[]).flatMap((invoice) => {
        const open = periodAt(given, at(invoice.made_on));
        const closed = periodAt(given, new Date(open.start.getTime() - 1));
        const usage = invoice.usage_period ? comparePeriod(closed, invoice.usage_period, 'usage') : [];
        return [...comparePeriod(open, invoice.subscription_period, invoice.made_on), ...usage];
      }),
    'lago-bp-081': (given, expected) =>
      (expected.current_period as Facts[]).flatMap((want) =>
        comparePeriod(periodAt(given, at(want.at)), want, want.at),
      ),
    'lago-bp-082': (given, expected) =>
      (expected.current_period as Facts[]).flatMap((want) =>
        comparePeriod(periodAt(given, at(want.at)), want, want.at),
      ),
    proration: (given, expected) =>
      expected.proration_denominator_days ? dayShare(given, expected) : firstFee(given, expected),
    'lago-tr-021': (given, expected) => {
      const trial = trialPeriod(at(given.subscription.start_at), given.plan.trial_days, 'UTC');
      const { firstPeriod, whole } = startPaidTime(trial.end, 'calendar', cadenceOf(given));
      const fee = prorate(d(given.plan.amount), firstPeriod, whole);
      return [['fee', cents(fee), expected.first_period_subscription_fee.amount]];
    },
    charge_model: samples,
    'lago-cm-032': (given, expected) => {
      const byFilter = (given.charge.filters as Facts[]).map((filter) => {
        const rule = ruleOf({ ...given.charge, unit_amount: filter.unit_amount });
        const meter = { ...rule.meter, filters: [{ key: 'cloud', values: [filter.cloud] }] };
        const own = (given.events as Facts[]).filter((event) => matches(meter, { eventName: 'e', properties: event }));
        return [filter.cloud, told(rule, own).steps.at(-1)!.accrued] as const;
      });
      const checks = byFilter.map(([cloud, amount]): Check => [cloud, plain(amount), plain(expected.by_filter[cloud])]);
      return [...checks, ['total', plain(sum(byFilter.map(([, amount]) => amount))), plain(expected.total)]];
    },
    'lago-cm-051': (given, expected) => {
      const { steps } = told(ruleOf(given.charge), [{ at: given.event_batch.at, times: given.event_batch.count }]);
      return [['fees', steps.map(({ delta }) => plain(delta)), (expected.fees_sorted as string[]).map(plain)]];
    },
    'lago-cm-058': (given, expected) => {
      const { steps } = told(ruleOf(given.charge), given.events_in_order);
      return [['fees', steps.map(({ delta }) => plain(delta)), (expected.fee_per_event as string[]).map(plain)]];
    },
    'lago-ag-002': (given, expected) => {
      const { steps } = told(ruleOf(given.charge), given.events);
      return (expected.usage as Facts[]).map((want): Check => {
        const step = steps[want.after_events - 1]!;
        return [String(want.after_events), [plain(step.total), plain(step.accrued)], [want.units, plain(want.amount)]];
      });
    },
    'lago-ag-006': levelCarriedOver,
    'lago-ag-007': weighted,
    'lago-ag-010': weighted,
    'lago-ag-017': (_, expected) => {
      const [free, paid] = ['0', '1'].map((amount) => ruleOf({ unit_amount: amount }));
      const [first, second] = [told(free!, [{ value: '10' }]), told(paid!, [{ value: '10000' }])].map(
        ({ steps }) => steps[0]!,
      );
      return [
        ['before', [plain(first!.total), cents(first!.accrued)], ['10', plain(expected.first_final_invoice)]],
        ['after', [plain(second!.total), cents(second!.accrued)], ['10000', plain(expected.second_final_invoice)]],
      ];
    },
    'lago-ag-018': (given, expected) => {
      const taxed = (amount: Decimal) => cents(amount.times(1 + given.tax_percent / 100));
      const { firstPeriod, whole } = timelineOf(given);
      const rule = ruleOf(given.plan.charges[0]);
      const { steps } = told(rule, given.events);
      const [draft, late] = [steps[1]!, steps[2]!].map(({ accrued }) => taxed(accrued.plus(given.plan.amount)));
      return [
        ['first', taxed(prorate(d(given.plan.amount), firstPeriod, whole)), expected.first_invoice_total],
        ['draft', draft, plain(expected.draft_invoice_before_late_event)],
        ['with the late event', late, plain(expected.final_total)],
      ];
    },
  },
  leftOut: {
    'periods begin at midnight whatever the start; here they keep its time of day': 'lago-bp-073',
    'proration by started days; here by the second':
      'lago-pr-023 lago-pr-044 lago-pr-051 lago-pr-055 lago-pr-060 lago-pr-068 lago-tr-003 lago-tr-004 lago-tr-006 lago-tr-007',
    'a percentage of each event with its own free, least or most part':
      'lago-cm-011 lago-cm-019 lago-cm-039 lago-cm-042',
    'the first tier of no usage owes its flat amount; here no usage costs nothing': 'lago-cm-036',
    'units of a recurring metric are prorated one by one': 'lago-cm-045 lago-cm-046 lago-ag-015',
    'each event carries its own price': 'lago-cm-047',
    'units rounded before they are priced': 'lago-ag-016',
    'a limit of the API': 'lago-ag-021',
    'invoices in advance of the period end when a threshold is passed': 'lago-wa-032 lago-wa-072',
    'a wallet that tops itself up takes all the rest': 'lago-wa-040',
    'the currency or metric a wallet may pay is chosen outside of the arithmetic': 'lago-wa-045 lago-wa-048',
    'fees are rounded before credits pay them; here credits burn exactly': 'lago-wa-050 lago-wa-051',
    'credits rounded to the currency': 'lago-wa-054 lago-wa-060 lago-wa-061',
    'one purchase closes the whole gap in multiples; here each buys the amount that was set':
      'lago-rt-004 lago-rt-020 lago-rt-022',
  },
};

/** A level of March (from the 5th on) carried into April. */
function levelCarriedOver(given: Facts, expected: Facts): Check[] {
  const { firstPeriod, whole, anchor } = startPaidTime(
    at(given.subscription.start_at),
    'calendar',
    cadenceOf({ plan: { interval: 'monthly' } }),
  );
  const second = periodContaining(anchor, cadenceOf({ plan: { interval: 'monthly' } }), anchor);
  const first = ruleOf(given.charge, { span: firstPeriod, whole });
  const march = accrueUntil(first, told(first, given.events.slice(0, 1)).state, firstPeriod.end);
  const april = ruleOf(given.charge, { span: second });
  const opened = openWith(april, emptyAccrual(), carryOver(first, march.state, second.start));
  const closed = accrueUntil(april, told(april, given.events.slice(1), opened.state).state, second.end);
  return [
    [
      'March',
      [plain(march.total), cents(march.accrued)],
      [plain(d('2177.4193548387096774').toDecimalPlaces(12)), expected['invoice_2023-04-01_usage_fee']],
    ],
    ['April', cents(closed.accrued), expected['invoice_2023-05-01_usage_fee']],
    ['level', carryOver(april, closed.state, second.end)?.level, expected.running_total_carried],
  ];
}
