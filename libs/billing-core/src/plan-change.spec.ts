import { Decimal, text } from './decimal.js';
import type { Span } from './period.js';
import { startPaidTime } from './period.js';
import {
  type Adjustment,
  changeFee,
  changeInterval,
  directionOf,
  pausedCredit,
  resumePeriod,
  trialPeriod,
} from './plan-change.js';

const d = (value: string | number) => new Decimal(value);
const at = (iso: string) => new Date(`2026-${iso}Z`);
const JANUARY: Span = { start: at('01-01T00:00'), end: at('02-01T00:00') };
const told = ({ credit, charge, net }: Adjustment) => [credit, charge, net].map((money) => money.toFixed(2));

describe('a change of plan or quantity', () => {
  it('gives back the unused rest and charges it at the new fee', () => {
    expect(told(changeFee({ from: d(31), to: d(62) }, at('01-11T00:00'), JANUARY, JANUARY))).toEqual([
      '21.00',
      '42.00',
      '21.00',
    ]);
  });
  it('at the start of a period is the whole difference, at its end nothing', () => {
    expect(told(changeFee({ from: d(20), to: d(50) }, JANUARY.start, JANUARY, JANUARY))).toEqual([
      '20.00',
      '50.00',
      '30.00',
    ]);
    expect(told(changeFee({ from: d(20), to: d(50) }, JANUARY.end, JANUARY, JANUARY))).toEqual([
      '0.00',
      '0.00',
      '0.00',
    ]);
  });
  it('in a first partial period counts in shares of the whole', () => {
    const partial = { start: at('01-24T09:00'), end: JANUARY.end };
    expect(text(changeFee({ from: d(0), to: d(149) }, at('01-24T09:00'), partial, JANUARY).net)).toBe(
      '36.649193548387',
    );
  });
  it('more seats are charged for the rest, fewer given back', () => {
    expect(told(changeFee({ from: d(31), to: d(93) }, at('01-31T00:00'), JANUARY, JANUARY))[2]).toBe('2.00');
    expect(told(changeFee({ from: d(93), to: d(31) }, at('01-31T00:00'), JANUARY, JANUARY))[2]).toBe('-2.00');
  });
  it('to another interval begins a new period there', () => {
    const next = startPaidTime(at('01-11T00:00'), 'anniversary', { billingPeriod: 'ANNUAL', count: 1, zone: 'UTC' });
    const adjustment = changeInterval(
      { from: d(31), to: d(300) },
      at('01-11T00:00'),
      { period: JANUARY, whole: JANUARY },
      next,
    );
    expect(told(adjustment)).toEqual(['21.00', '300.00', '279.00']);
  });
});

it('a change goes up or down by what a second costs', () => {
  const year: Span = { start: at('01-01T00:00'), end: new Date('2027-01-01T00:00:00Z') };
  const monthly = { fee: d(31), period: JANUARY };
  expect(directionOf(monthly, { fee: d(32), period: JANUARY })).toBe('upgrade');
  expect(directionOf(monthly, { fee: d(300), period: year })).toBe('downgrade');
  expect(directionOf(monthly, { fee: d(365), period: year })).toBe('lateral');
});

it('a trial is one period, on the wall clock of the zone', () => {
  const trial = trialPeriod(new Date('2026-03-20T08:00:00Z'), 14, 'Europe/Berlin');
  expect(trial.end.toISOString()).toBe('2026-04-03T07:00:00.000Z');
});

describe('a pause', () => {
  it('gives back the fee of the paused time inside the period', () => {
    const pause = { start: at('01-30T00:00'), end: at('02-10T00:00') };
    expect(text(pausedCredit(d(31), pause, JANUARY, JANUARY))).toBe('2');
    expect(text(pausedCredit(d(31), { start: at('02-02T00:00'), end: at('02-10T00:00') }, JANUARY, JANUARY))).toBe('0');
  });
  it('moves no boundary: resuming is a first partial period', () => {
    const { firstPeriod, whole } = resumePeriod(
      JANUARY.start,
      { billingPeriod: 'MONTHLY', count: 1, zone: 'UTC' },
      at('02-10T00:00'),
    );
    expect([firstPeriod.start, firstPeriod.end]).toEqual([at('02-10T00:00'), at('03-01T00:00')]);
    expect([whole.start, whole.end]).toEqual([at('02-01T00:00'), at('03-01T00:00')]);
  });
});
