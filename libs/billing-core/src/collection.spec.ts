import { describe, expect, it } from '@jest/globals';
import { accountShare, askAgainAfterMs, balanceDue, chargeable, dueDate } from './collection.js';
import { Decimal, text } from './decimal.js';
import { daysOf, isPaymentTerms } from './payment-terms.js';

const told = (due: string, currency: string) => {
  const answer = chargeable(new Decimal(due), currency);
  return 'amount' in answer ? text(answer.amount) : answer.refused;
};

describe('what a card can be charged', () => {
  it.each([
    ['149', 'usd', '149'],
    ['0.5', 'usd', '0.5'],
    ['0.49', 'usd', 'below_minimum'],
    ['999999.99', 'usd', '999999.99'],
    ['1000000', 'usd', 'above_maximum'],
    ['49', 'jpy', 'below_minimum'],
    ['99999999', 'jpy', '99999999'],
    ['100000000', 'jpy', 'above_maximum'],
    ['1.234', 'kwd', '1.23'],
    ['0.004', 'kwd', 'below_minimum'],
  ])('%s %s: %s', (due, currency, expected) => {
    expect(told(due, currency)).toBe(expected);
  });

  it('says why not, with the limit', () => {
    expect(chargeable(new Decimal('0.3'), 'usd')).toMatchObject({ reason: '0.3 usd is below the minimum of 0.5 usd' });
  });
});

describe("what a customer's account does for an invoice", () => {
  it.each([
    // total, balance, currency: paid out of it, put off, collected
    ['149', '0', 'usd', '0', '0', '0'],
    ['0.5', '0', 'usd', '0', '0', '0'],
    ['0.3', '0', 'usd', '0', '0.3', '0'],
    ['0.1', '-0.3', 'usd', '0', '0.1', '0'],
    ['0.2', '-0.3', 'usd', '0', '0', '0.3'],
    ['149', '-0.3', 'usd', '0', '0', '0.3'],
    ['149', '100', 'usd', '100', '0', '0'],
    ['149', '148.8', 'usd', '148.8', '0.2', '0'],
    ['149', '200', 'usd', '149', '0', '0'],
    ['0.3', '200', 'usd', '0.3', '0', '0'],
    ['49', '0', 'jpy', '0', '49', '0'],
    ['50', '0', 'jpy', '0', '0', '0'],
    ['0.004', '0', 'kwd', '0', '0.004', '0'],
    ['0.29', '0', 'gbp', '0', '0.29', '0'],
    ['0.3', '0', 'gbp', '0', '0', '0'],
    ['1000000', '-0.3', 'usd', '0', '0', '0.3'],
  ])('%s with %s %s: %s paid, %s put off, %s collected', (total, balance, currency, ...expected) => {
    const { applied, carried, collected } = accountShare(new Decimal(total), new Decimal(balance), currency);
    expect([applied, carried, collected].map(text)).toEqual(expected);
  });
});

describe('what is left to pay', () => {
  it.each([
    ['149', '0', 'usd', '149', '0'],
    ['149', '100', 'usd', '49', '0'],
    ['149', '149', 'usd', '0', '0'],
    ['149', '298', 'usd', '0', '149'],
    ['1.234', '1.23', 'kwd', '0', '0'],
  ])('of %s after %s %s: %s, too much: %s', (due, paid, currency, remaining, overpaid) => {
    const balance = balanceDue(new Decimal(due), new Decimal(paid), currency);
    expect([text(balance.remaining), text(balance.overpaid)]).toEqual([remaining, overpaid]);
  });
});

describe('when payment is due', () => {
  const finalized = new Date('2026-03-07T15:00:00Z');

  it('is 7 days after finalization without terms, on the wall clock of the zone', () => {
    expect(dueDate(finalized, null, 'UTC')).toEqual(new Date('2026-03-14T15:00:00Z'));
    expect(dueDate(finalized, null, 'America/New_York')).toEqual(new Date('2026-03-14T14:00:00Z'));
  });

  it('follows the terms, in either spelling', () => {
    expect(dueDate(finalized, 'NET_0', 'UTC')).toEqual(finalized);
    expect(dueDate(finalized, '15 NET', 'UTC')).toEqual(new Date('2026-03-22T15:00:00Z'));
    expect(daysOf('NET_30')).toBe(30);
  });

  it.each(['NET', 'NET_', 'NET_1000', '366 NET', 'net_7', '7', ''])('knows no terms %p', (terms) => {
    expect(isPaymentTerms(terms)).toBe(false);
  });
});

describe('asking about an open charge', () => {
  it('doubles from 2 minutes up to 15, up to 6 hours for one in progress', () => {
    const minutes = (processing: boolean) =>
      [0, 1, 2, 3, 50].map((timesAsked) => askAgainAfterMs(timesAsked, processing) / 60_000);
    expect(minutes(false)).toEqual([2, 4, 8, 15, 15]);
    expect(minutes(true)).toEqual([2, 4, 8, 16, 360]);
  });
});
