import { Decimal } from '@drawdown/billing-core';
import type { Offer } from '@drawdown/plans';
import { allowanceOf } from './free-units.js';

const entitlement = (meterId: string | null, usageLimit: number | null, isEnabled = true) =>
  ({
    meterId,
    entitlement: { isEnabled, usageLimit: usageLimit === null ? null : new Decimal(usageLimit) },
  }) as Offer['entitlements'][number];

describe('the free units of a meter that the subscription prices', () => {
  it.each<[string, Offer['entitlements'], string | null]>([
    ['are the limit of its entitlement', [entitlement('m', 5)], '5'],
    ['are all when the entitlement has no limit', [entitlement('m', null)], 'unlimited'],
    ['are none without an entitlement', [entitlement('other', 5), entitlement(null, null)], null],
    ['are none when it is disabled', [entitlement('m', 5, false), entitlement('m', null, false)], null],
    ['are none, told as a limit, when the limit is 0', [entitlement('m', 0)], '0'],
    ['add up over features that share the meter', [entitlement('m', 5), entitlement('m', 7)], '12'],
  ])('%s', (_, entitlements, expected) => {
    expect(allowanceOf(entitlements, 'm')?.toString() ?? null).toBe(expected);
  });
});
