import type { WindowPeriod } from '@drawdown/billing-core';
import type { Subscription } from '@drawdown/subscriptions';
import { limitWindow } from './limit-window.js';

const BERLIN = 'Europe/Berlin';
/** Monthly from 15 Jan, now in its third period. */
const subscription = {
  startDate: new Date('2027-01-14T23:00:00Z'),
  trialEnd: null,
  paidFrom: null,
  currentPeriodStart: new Date('2027-03-14T23:00:00Z'),
  currentPeriodEnd: new Date('2027-04-14T22:00:00Z'),
  billingPeriod: 'MONTHLY',
  billingPeriodCount: 1,
  customerTimezone: BERLIN,
  status: 'active',
} as Subscription;
const now = new Date('2027-03-28T12:00:00Z');
const told = (
  reset: WindowPeriod | null,
  of: Partial<Subscription> = {},
  resetUsage: 'NEVER' | 'BILLING_PERIOD' = 'BILLING_PERIOD',
) => {
  const window = limitWindow(Object.assign({}, subscription, of), { resetUsage }, reset, now);
  return window && [window.start, window.resetsAt].map((at) => at?.toISOString().slice(0, 16) ?? null);
};

describe('a limit counts within', () => {
  it.each<[string, WindowPeriod | null, (string | null)[]]>([
    ['the billing period', null, ['2027-03-14T23:00', '2027-04-14T22:00']],
    ['the billing period, by its name', 'MONTHLY', ['2027-03-14T23:00', '2027-04-14T22:00']],
    ['a day, which is an hour shorter when the clocks change', 'DAILY', ['2027-03-27T23:00', '2027-03-28T22:00']],
    ['a week of the period', 'WEEKLY', ['2027-03-21T23:00', '2027-03-28T22:00']],
    ['a quarter of paid time', 'QUARTERLY', ['2027-01-14T23:00', '2027-04-14T22:00']],
    ['the life of the subscription', 'NEVER', ['2027-01-14T23:00', null]],
  ])('%s', (_, reset, expected) => {
    expect(told(reset)).toEqual(expected);
  });

  it('what is never reset, for ever', () => {
    expect(told(null, {}, 'NEVER')).toEqual(['2027-01-14T23:00', null]);
  });

  it('a trial, however long the window is', () => {
    const trial = { status: 'trialing', trialEnd: subscription.currentPeriodEnd } as const;
    expect(told('QUARTERLY', trial)).toEqual(['2027-03-14T23:00', '2027-04-14T22:00']);
  });

  it('nothing before the first period', () => {
    expect(told(null, { currentPeriodStart: null, currentPeriodEnd: null })).toBeNull();
  });
});
