import { isRunning, moved, SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription-status.js';

const reachable = (from: SubscriptionStatus) =>
  SUBSCRIPTION_STATUSES.filter((to) => {
    try {
      return moved(from, to) === to;
    } catch (problem) {
      expect(problem).toMatchObject({ status: 409, details: { state: from } });
      return false;
    }
  });

it('a subscription moves along its life and no other way', () => {
  expect(SUBSCRIPTION_STATUSES.map((from) => [from, reachable(from)])).toEqual([
    ['draft', ['incomplete', 'trialing', 'active', 'cancelled']],
    ['incomplete', ['active', 'cancelled']],
    ['trialing', ['active', 'paused', 'cancelled']],
    ['active', ['past_due', 'paused', 'cancelled']],
    ['past_due', ['active', 'paused', 'cancelled']],
    ['paused', ['trialing', 'active', 'past_due', 'cancelled']],
    ['cancelled', []],
  ]);
});

it('it runs from its start to its cancellation, paid or not', () => {
  expect(SUBSCRIPTION_STATUSES.filter(isRunning)).toEqual(['trialing', 'active', 'past_due']);
});
