import { describe, expect, it } from '@jest/globals';
import { pricesOnOffer, trialDaysOn, type Wanted } from './offer.js';
import type { Price } from './price.entity.js';

const price = (id: string, more: Partial<Price> = {}) =>
  ({
    id,
    type: 'FIXED',
    currency: 'usd',
    billingPeriod: 'MONTHLY',
    billingPeriodCount: 1,
    billingCadence: 'RECURRING',
    meterId: null,
    trialPeriodDays: 0,
    ...more,
  }) as Price;
const usage = (id: string, meterId: string, more: Partial<Price> = {}) =>
  price(id, { type: 'USAGE', meterId, ...more });
const annual = { billingPeriod: 'ANNUAL' } as const;
const wanted: Wanted = {
  currency: 'usd',
  billingPeriod: 'MONTHLY',
  billingPeriodCount: 1,
  at: new Date('2026-01-10T09:00:00Z'),
};
const taken = (offered: Price[], more: Partial<Wanted> = {}) =>
  pricesOnOffer(offered, { ...wanted, ...more }).map(({ id }) => id);

describe('of the prices offered', () => {
  it('those of the currency and the interval are taken, and fees of other intervals left', () => {
    const offered = [price('a'), price('b', { currency: 'eur' }), price('c', annual), usage('d', 'm')];
    expect(taken(offered)).toEqual(['a', 'd']);
    expect(taken([price('a'), price('c', { billingPeriodCount: 3 })], { billingPeriodCount: 3 })).toEqual(['c']);
  });

  it.each<[string, Price[], Partial<Wanted>, string, RegExp]>([
    ['nothing at all', [], {}, 'currency', /nothing/],
    [
      'another currency',
      [price('a', { currency: 'eur' }), price('b', { currency: 'chf' })],
      {},
      'currency',
      /chf, eur$/,
    ],
    ['another interval', [price('a', annual)], {}, 'billing_period', /ANNUAL/],
    ['another count', [price('a')], { billingPeriodCount: 2 }, 'billing_period', /2 x MONTHLY .* MONTHLY is/],
    ['usage at another interval', [price('a'), usage('b', 'm', annual)], {}, 'billing_period', /price b, .* ANNUAL/],
  ])('%s is refused by its field, and says what there is', (_, offered, more, field, message) => {
    expect(() => taken(offered, more)).toThrow(message);
    expect(() => taken(offered, more)).toThrow(expect.objectContaining({ status: 400, details: { field } }));
  });

  it('a meter priced at both intervals is taken at the one', () => {
    const offered = [price('a'), usage('b', 'm'), price('c', annual), usage('d', 'm', annual)];
    expect(taken(offered)).toEqual(['a', 'b']);
    expect(taken(offered, annual)).toEqual(['c', 'd']);
  });
});

describe('the trial', () => {
  const days = (prices: Price[], trialDays?: number | null) => trialDaysOn(prices, { ...wanted, trialDays });

  it('is what the fees agree on, whatever usage prices and what is asked once say; none without fees', () => {
    expect(days([price('a', { trialPeriodDays: 14 }), price('b', { trialPeriodDays: 14 })])).toBe(14);
    expect(days([price('a', { trialPeriodDays: 14 }), usage('b', 'm', { trialPeriodDays: 7 })])).toBe(14);
    expect(days([price('a', { trialPeriodDays: 14 }), price('b', { billingCadence: 'ONETIME' })])).toBe(14);
    expect(days([usage('b', 'm', { trialPeriodDays: 7 })])).toBe(0);
  });

  it('is refused when they differ, unless the request has its own, zero included', () => {
    const prices = [price('a', { trialPeriodDays: 14 }), price('b')];
    expect(() => days(prices)).toThrow(/a: 14, b: 0/);
    expect(() => days(prices, null)).toThrow(expect.objectContaining({ details: { field: 'trial_period_days' } }));
    expect(days(prices, 30)).toBe(30);
    expect(days(prices, 0)).toBe(0);
  });
});
