import { roundMoney } from './currency.js';
import { Decimal, text } from './decimal.js';
import { prorate, share } from './proration.js';

const span = (start: string, end: string) => ({ start: new Date(start), end: new Date(end) });
const january = span('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
const fromTrialEnd = span('2026-01-24T09:00:00Z', '2026-02-01T00:00:00Z');

it('a share counts elapsed seconds: 7.625 of 31 days', () => {
  expect(share(fromTrialEnd, january).toFixed(15)).toBe('0.245967741935484');
  expect(text(share(january, january))).toBe('1');
  expect(text(share({ start: january.start, end: january.start }, january))).toBe('0');
});

it('a fee and the credits of a first partial period', () => {
  expect(text(roundMoney(prorate(new Decimal(149), fromTrialEnd, january), 'USD'))).toBe('36.65');
  expect(text(prorate(new Decimal(2000), fromTrialEnd, january))).toBe('491.935483870968');
});

it('counts real hours: the day that Berlin loses an hour is shorter', () => {
  const march = span('2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z');
  const day = span('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z');
  expect(share(day, march).eq(new Decimal(23).div(31 * 24 - 1))).toBe(true);
});

it.each([
  ['begins before', span('2025-12-31T00:00:00Z', '2026-01-02T00:00:00Z'), january],
  ['ends after', span('2026-01-31T00:00:00Z', '2026-02-02T00:00:00Z'), january],
  ['is turned round', span('2026-01-20T00:00:00Z', '2026-01-10T00:00:00Z'), january],
  ['has no whole', january, span('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')],
])('a part that %s is refused', (_, part, whole) => {
  expect(() => share(part, whole)).toThrow(RangeError);
  expect(() => prorate(new Decimal(1), part, whole)).toThrow(RangeError);
});
