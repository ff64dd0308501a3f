import { Decimal, text } from '@drawdown/billing-core';
import { aggregated, type EntitlementSource } from './aggregated-feature.js';

const source = (more: Partial<EntitlementSource>): EntitlementSource => ({
  featureId: 'f',
  entitlementId: 'e',
  subscriptionId: 's',
  planId: 'p',
  planName: 'Starter',
  isEnabled: true,
  isSoftLimit: false,
  usageLimit: null,
  usageResetPeriod: null,
  staticValue: null,
  ...more,
});
const limit = (units: number, more: Partial<EntitlementSource> = {}) =>
  source({ usageLimit: new Decimal(units), usageResetPeriod: 'MONTHLY', ...more });

describe('what several subscriptions give together', () => {
  it.each<[string, EntitlementSource[], string | null]>([
    ['limits add up', [limit(5), limit(7)], '12'],
    ['one without limit lifts it', [limit(5), source({})], null],
    ['a disabled one gives nothing', [limit(5), limit(7, { isEnabled: false })], '5'],
    ['a disabled one lifts nothing', [limit(5), source({ isEnabled: false })], '5'],
    ['a limit of none is a limit', [limit(0)], '0'],
  ])('%s', (_, sources, expected) => {
    const { usageLimit } = aggregated(sources);
    expect(usageLimit && text(usageLimit)).toBe(expected);
  });

  it('is enabled if one is, soft if an enabled one is', () => {
    expect(aggregated([source({ isEnabled: false }), source({})]).isEnabled).toBe(true);
    expect(aggregated([source({ isEnabled: false, isSoftLimit: true })])).toMatchObject({
      isEnabled: false,
      isSoftLimit: false,
    });
    expect(aggregated([limit(1), limit(2, { isSoftLimit: true })]).isSoftLimit).toBe(true);
  });

  it('lists each value once', () => {
    expect(aggregated(['gold', 'silver', 'gold'].map((staticValue) => source({ staticValue }))).staticValues).toEqual([
      'gold',
      'silver',
    ]);
  });
});
