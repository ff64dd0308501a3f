import { Decimal } from '@drawdown/billing-core';

/** One use, as the model remembers it. */
export interface Use {
  /** Milliseconds. */
  readonly at: number;
  readonly value: Decimal;
}

/** What is sold: once as the API is told of it, once as anyone would reckon it from all uses of a period. */
export interface Tariff {
  readonly name: string;
  readonly event: string;
  readonly aggregation: object;
  readonly price: object;
  readonly limit?: number;
  /** Money for these uses, in the order in which they arrived. */
  readonly cost: (uses: readonly Use[]) => Decimal;
}

const ZERO = new Decimal(0);
const added = (uses: readonly Use[]) => uses.reduce((total, { value }) => total.plus(value), ZERO);
const largest = (uses: readonly Use[]) => Decimal.max(...uses.map(({ value }) => value));
const latest = (uses: readonly Use[]) => uses.reduce((last, use) => (use.at >= last.at ? use : last)).value;
const each = (quantity: Decimal, amount: string) => Decimal.max(quantity, ZERO).times(amount);
const beyond = (quantity: Decimal, from: number) => Decimal.max(quantity.minus(from), ZERO);
const of = (field: string, type: string) => ({ type, field });
const tiers = (mode: string, ...list: [upTo: number | null, unit: string, flat?: string][]) => ({
  billing_model: 'TIERED',
  tier_mode: mode,
  tiers: list.map(([upTo, unit, flat]) => ({
    up_to: upTo,
    unit_amount: unit,
    ...(flat ? { flat_amount: flat } : {}),
  })),
});

/** Every kind of price whose accrual can rise and fall; two of them count the same event. */
export const TARIFFS: readonly Tariff[] = [
  {
    name: 'rows',
    event: 'row',
    aggregation: of('n', 'SUM'),
    price: { amount: '1.5' },
    cost: (uses) => each(added(uses), '1.5'),
  },
  {
    name: 'tables',
    event: 'table',
    aggregation: { type: 'COUNT' },
    price: { amount: '10' },
    limit: 3,
    cost: (uses) => each(beyond(new Decimal(uses.length), 3), '10'),
  },
  {
    name: 'tokens',
    event: 'token',
    aggregation: of('n', 'SUM'),
    price: tiers('SLAB', [10, '2'], [null, '0.3', '3']),
    cost: (uses) => {
      const quantity = Decimal.max(added(uses), ZERO);
      const second = beyond(quantity, 10);
      return each(Decimal.min(quantity, 10), '2').plus(second.gt(ZERO) ? second.times('0.3').plus('3') : ZERO);
    },
  },
  {
    name: 'seats',
    event: 'seat',
    aggregation: of('n', 'SUM'),
    price: tiers('VOLUME', [5, '4'], [null, '2.5']),
    cost: (uses) => each(added(uses), added(uses).gt(5) ? '2.5' : '4'),
  },
  {
    name: 'scans',
    event: 'scan',
    aggregation: of('n', 'SUM'),
    price: { billing_model: 'PACKAGE', amount: '7', transform_quantity: { divide_by: 4, round: 'up' } },
    cost: (uses) => each(added(uses).div(4).ceil(), '7'),
  },
  {
    name: 'scan requests',
    event: 'scan',
    aggregation: { type: 'COUNT' },
    price: { amount: '0.25' },
    cost: (uses) => each(new Decimal(uses.length), '0.25'),
  },
  {
    name: 'mean load',
    event: 'load',
    aggregation: of('n', 'AVG'),
    price: { amount: '3' },
    cost: (uses) => each(added(uses).div(uses.length), '3'),
  },
  {
    name: 'peak',
    event: 'peak',
    aggregation: of('n', 'MAX'),
    price: { amount: '2.25' },
    cost: (uses) => each(largest(uses), '2.25'),
  },
  {
    name: 'stock',
    event: 'stock',
    aggregation: of('n', 'LATEST'),
    price: { amount: '1' },
    cost: (uses) => each(latest(uses), '1'),
  },
];
