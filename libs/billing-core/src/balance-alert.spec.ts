import { type AlertLevel, type AlertSettings, alertLevel, crossAlert } from './balance-alert.js';
import { Decimal } from './decimal.js';

const d = (value: string | number) => new Decimal(value);
const below = (threshold: number) => ({ threshold: d(threshold), condition: 'below' as const });
const settings: AlertSettings = { enabled: true, info: below(100), warning: below(50), critical: below(10) };

it.each<[number, AlertLevel]>([
  [101, 'ok'],
  [100, 'info'],
  [50, 'warning'],
  [10, 'critical'],
  [0, 'critical'],
])('a balance of %d is %s', (balance, level) => expect(alertLevel(d(balance), settings)).toBe(level));

it('a level may hold above a threshold', () => {
  const above: AlertSettings = { enabled: true, warning: { threshold: d(80), condition: 'above' } };
  expect([79, 80].map((balance) => alertLevel(d(balance), above))).toEqual(['ok', 'warning']);
});

it('switched off, all is well', () => {
  expect(alertLevel(d(0), { ...settings, enabled: false })).toBe('ok');
});

it.each<[AlertLevel, number, 'raised' | 'recovered' | null]>([
  ['ok', 200, null],
  ['ok', 100, 'raised'],
  ['info', 90, null],
  ['info', 5, 'raised'],
  ['critical', 60, 'recovered'],
  ['critical', 200, 'recovered'],
])('after %s a balance of %d announces %s', (before, balance, announce) => {
  expect(crossAlert(before, d(balance), settings).announce).toBe(announce);
});
