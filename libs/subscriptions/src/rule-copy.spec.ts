import { Decimal, type Allowance, type Meter, type UnitPrice } from '@drawdown/billing-core';
import { copyOfRule, ruleOf, thawedRule, unitPriceOfItem, type Place } from './rule-copy.js';

const d = (value: string) => new Decimal(value);
const meter: Meter = {
  eventName: 'table_create',
  filters: [{ key: 'status', values: ['success'] }],
  aggregation: { type: 'COUNT', field: null, multiplier: null, bucketSize: null, groupBy: null },
  resetUsage: 'BILLING_PERIOD',
};
const day = (n: number) => new Date(Date.UTC(2027, 0, n));
const place: Place = {
  span: { start: day(10), end: day(20) },
  period: { kind: 'paid', start: day(5), end: day(20), whole: { start: day(1), end: day(20) } },
  interval: { billingPeriod: 'MONTHLY', count: 1 },
  paidStart: day(1),
  zone: 'Europe/Berlin',
};

/** Through the database: a jsonb column gives back what JSON can hold. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('a rule comes back from its copy as it was', () => {
  it.each<[string, UnitPrice, Allowance]>([
    ['flat', { model: 'FLAT_FEE', amount: d('0.123456789012'), minQuantity: null }, d('5')],
    ['package', { model: 'PACKAGE', amount: d('2'), divideBy: d('10'), round: 'up', minQuantity: d('3') }, 'unlimited'],
    [
      'tiers',
      {
        model: 'TIERED',
        tierMode: 'SLAB',
        minQuantity: null,
        tiers: [
          { upTo: d('99999999999999999999999999'), unitAmount: d('5'), flatAmount: null },
          { upTo: null, unitAmount: d('3'), flatAmount: d('1.5') },
        ],
      },
      null,
    ],
  ])('%s', (_, price, allowance) => {
    const rule = stored(copyOfRule({ price, meter, allowance, window: 'DAILY' }));
    expect(ruleOf(thawedRule(JSON.stringify(rule)), place)).toEqual({
      price,
      meter,
      allowance,
      window: allowance === null ? null : { period: 'DAILY', anchor: place.period.start, zone: 'Europe/Berlin' },
      span: place.span,
      whole: place.period.whole,
      zone: 'Europe/Berlin',
    });
    expect(unitPriceOfItem({ rule })).toEqual(price);
  });
});

it('a fee has no usage', () => {
  const rule = copyOfRule({
    price: { model: 'FLAT_FEE', amount: d('149') },
    meter: null,
    allowance: null,
    window: null,
  });
  expect(() => ruleOf(thawedRule(JSON.stringify(rule)), place)).toThrow('no meter');
});
