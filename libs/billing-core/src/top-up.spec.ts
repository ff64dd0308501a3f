import { Decimal, text } from './decimal.js';
import { type AutoTopUpRule, type AutoTopUpState, backOffEnd, decideTopUp, isTopUpDue, purchase } from './top-up.js';

const d = (value: string | number) => new Decimal(value);
const NOW = new Date('2026-03-10T12:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const rule: AutoTopUpRule = {
  enabled: true,
  threshold: d(50),
  amount: d(500),
  purchaseRate: d('0.5'),
  cooldownMs: 60_000,
  dailyCap: 3,
  stopAfterDeclines: 3,
};
const state: AutoTopUpState = { balance: d(50), open: false, trialing: false, boughtAt: [], declinedAt: [] };
const decided = (by: Partial<AutoTopUpRule>, of: Partial<AutoTopUpState>) => {
  const decision = decideTopUp({ ...rule, ...by }, { ...state, ...of }, NOW);
  if (decision.due) return `buy ${text(decision.credits)} for ${text(decision.money)}`;
  return decision.retryAt ? `${decision.reason} until ${decision.retryAt.toISOString()}` : decision.reason;
};

describe('auto top-up', () => {
  it.each<[string, Partial<AutoTopUpRule>, Partial<AutoTopUpState>, string]>([
    ['at the threshold it buys, at the purchase rate', {}, {}, 'buy 500 for 250'],
    ['below it too', {}, { balance: d(0) }, 'buy 500 for 250'],
    ['above it not', {}, { balance: d('50.000000000001') }, 'enough_credits'],
    ['switched off not', { enabled: false }, {}, 'off'],
    ['in a trial not', {}, { trialing: true }, 'trialing'],
    ['beside an open purchase not', {}, { open: true }, 'in_progress'],
    ['within the cooldown not', {}, { boughtAt: [ago(0.5)] }, 'cooling_down until 2026-03-10T12:00:30.000Z'],
    ['at the end of the cooldown', {}, { boughtAt: [ago(1)] }, 'buy 500 for 250'],
    [
      'at the daily cap not',
      {},
      { boughtAt: [ago(600), ago(300), ago(100)] },
      'daily_cap until 2026-03-11T02:00:00.000Z',
    ],
    ['a purchase of yesterday does not count', {}, { boughtAt: [ago(1440), ago(300), ago(100)] }, 'buy 500 for 250'],
    ['after a decline it waits an hour', {}, { declinedAt: [ago(10)] }, 'backing_off until 2026-03-10T12:50:00.000Z'],
    ['then tries again', {}, { declinedAt: [ago(60)] }, 'buy 500 for 250'],
    ['twice as long after two', {}, { declinedAt: [ago(90), ago(60)] }, 'backing_off until 2026-03-10T13:00:00.000Z'],
    ['and stops after three', {}, { declinedAt: [ago(9000), ago(900), ago(800)] }, 'stopped_after_declines'],
  ])('%s', (_, by, of, expected) => expect(decided(by, of)).toBe(expected));

  it('backs off at most a day', () => {
    expect(backOffEnd(Array.from({ length: 12 }, () => NOW))?.toISOString()).toBe('2026-03-11T12:00:00.000Z');
    expect(backOffEnd([])).toBeNull();
  });

  it('is due at and below the threshold', () => {
    expect(isTopUpDue(d(10), d(10))).toBe(true);
    expect(isTopUpDue(d(11), d(10))).toBe(false);
  });
});

it.each([
  ['500', null, '500', '250'],
  [null, '250', '500', '250'],
  ['500', '1', '500', '250'],
  [null, null, '0', '0'],
])('%s credits or %s of money buy %s credits for %s', (credits, money, bought, paid) => {
  const bill = purchase(
    { credits: credits === null ? null : d(credits), money: money === null ? null : d(money) },
    d('0.5'),
  );
  expect([bill.credits, bill.money].map(text)).toEqual([bought, paid]);
});
