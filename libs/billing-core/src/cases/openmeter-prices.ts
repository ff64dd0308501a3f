import { type AccrualRule, accrue, emptyAccrual } from '../accrual.js';
import { burn, emptyCover } from '../burn-down.js';
import { settleCommitment } from '../commitment.js';
import { type Decimal, ONE, ZERO, sum } from '../decimal.js';
import { draftInvoice } from '../invoice-draft.js';
import { type UnitPrice, priceOf } from '../price.js';
import { type Facts, type Runner, d, plain } from './case.js';

/** Their tiers as ours: an amount a tier lacks is zero. */
export function tieredPrice(model: string, tiers: Facts[]): UnitPrice {
  return {
    model: 'TIERED',
    tierMode: model === 'volume' ? 'VOLUME' : 'SLAB',
    tiers: tiers.map((tier) => ({
      upTo: tier.up_to === null ? null : d(tier.up_to),
      unitAmount: d(tier.unit ?? 0),
      flatAmount: tier.flat ? d(tier.flat) : null,
    })),
  };
}
/** The price a case states: tiers, packages, or an amount per unit. */
export function priceFrom(given: Facts): UnitPrice {
  if (given.tiers) return tieredPrice(given.model, given.tiers);
  if (given.package_size) {
    return { model: 'PACKAGE', amount: d(given.package_amount ?? 1), divideBy: d(given.package_size), round: 'up' };
  }
  return { model: 'FLAT_FEE', amount: d(given.unit_amount) };
}

const totalOf = (lines: Facts[]) => plain(sum(lines.map((line) => d(line.total ?? line.amount))));

/** What a line adds to what was billed of the period before, with the promise of a minimum at its last line. */
const price: Runner = (given, expected) => {
  const of = priceFrom(given);
  if (expected.packages) return [['packages', plain(priceOf(of, d(given.quantity))), expected.packages]];
  const billed = d(given.already_billed_quantity ?? 0);
  const cost = priceOf(of, billed.plus(given.quantity)).minus(priceOf(of, billed));
  if (expected.total) return [['total', plain(cost), expected.total]];
  if (!given.minimum_spend || given.line.startsWith('middle'))
    return [['amount', plain(cost), totalOf(expected.lines)]];
  const before = d(given.previously_billed_amount ?? 0);
  const promise = { amount: d(given.minimum_spend), overageFactor: ONE, trueUp: true };
  const { trueUp } = settleCommitment(promise, before.plus(cost));
  return [['amount', plain(cost.plus(trueUp)), totalOf(expected.lines)]];
};

/** Credits pay usage first, then what a promised minimum adds. */
const credited: Runner = (given, expected) => {
  const usage = priceOf(priceFrom(given), d(given.quantity));
  const promise = { amount: d(given.minimum_spend ?? 0), overageFactor: ONE, trueUp: true };
  const { trueUp } = settleCommitment(promise, usage);
  let left = sum((given.credits as string[]).map(d));
  const lines = [usage, trueUp].map((gross, place) => {
    const { cover } = burn(emptyCover(), gross, [{ id: 'c', remaining: left, held: ZERO }], ONE);
    left = left.minus(cover.credits);
    return { key: String(place), gross, waived: ZERO, credits: cover.covered };
  });
  return [['due', plain(draftInvoice(lines, 'USD').total), totalOf(expected.lines)]];
};

export const meterRule = (more: Partial<AccrualRule>, multiplier?: string): AccrualRule => ({
  price: { model: 'FLAT_FEE', amount: ONE },
  allowance: null,
  meter: {
    eventName: 'e',
    filters: [],
    aggregation: { type: multiplier ? 'SUM_WITH_MULTIPLIER' : 'SUM', field: 'n', multiplier: multiplier ?? null },
    resetUsage: 'BILLING_PERIOD',
  },
  ...more,
});
/** Folds events of these quantities and tells each one's accrual. */
export function fold(rule: AccrualRule, quantities: (string | Decimal)[]) {
  let state = emptyAccrual();
  return quantities.map((n, arrival) => {
    const result = accrue(rule, state, { at: new Date(0), arrival, properties: { n: plain(n) } });
    if ('problem' in result) throw new Error(result.problem);
    state = result.state;
    return result;
  });
}

/** Their runs are told the quantity so far; our events are the differences. */
const rerated: Runner = (given, expected) => {
  const so = [0, ...(given.cumulative_quantities as string[])];
  const events = so.slice(1).map((quantity, place) => d(quantity).minus(so[place]!));
  const deltas = fold(meterRule({ price: priceFrom(given) }), events).map(({ delta }) => plain(delta));
  return [['booked', deltas, (expected.booked as (Facts | null)[]).map((line) => line?.amount ?? '0')]];
};

export const PRICES: Record<string, Runner> = {
  price,
  'om-pr-016': (given, expected) => [
    ['total', plain(priceOf(priceFrom(given), d(given.cumulative_quantity))), expected.cumulative_total],
  ],
  'om-pr-058': (given, expected) => [
    [
      'quantity',
      plain(fold(meterRule({}, given.unit_conversion.factor), [given.raw_quantity])[0]!.total),
      expected.quantity,
    ],
  ],
  'om-pr-065': credited,
  'om-pr-068': credited,
  'om-pr-071': (given, expected) => {
    const [before, after] = fold(meterRule({ allowance: d(given.free_units) }), [
      given.already_billed_raw_quantity,
      given.raw_quantity,
    ]);
    return [
      ['billed before', plain(before!.billable), expected.already_billed_quantity],
      ['billable', plain(after!.billable.minus(before!.billable)), expected.billable_quantity],
      ['free now', plain(after!.free.minus(before!.free)), expected.free_units_used_now],
    ];
  },
  'om-pr-074': rerated,
  'om-pr-075': rerated,
};
