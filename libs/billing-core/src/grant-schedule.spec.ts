import { Decimal, text } from './decimal.js';
import { type GrantRule, type GrantStep, oneTimeGrant, recurringStep, stepFrom } from './grant-schedule.js';
import { type BillingPeriod, startPaidTime } from './period.js';

const at = (iso: string) => new Date(iso);
const rule = (more: Partial<GrantRule> = {}): GrantRule => ({
  credits: new Decimal(2000),
  cadence: 'RECURRING',
  period: 'MONTHLY',
  periodCount: 1,
  expirationType: 'BILLING_CYCLE',
  expirationDuration: null,
  expirationUnit: null,
  ...more,
});
const told = (step: GrantStep) =>
  `${step.index}: ${text(step.credits)} at ${step.at.toISOString()} until ${step.expiresAt?.toISOString() ?? 'ever'}`;
const paid = (cycle: 'calendar' | 'anniversary', billingPeriod: BillingPeriod = 'MONTHLY') =>
  startPaidTime(at('2026-01-24T09:00:00Z'), cycle, { billingPeriod, count: 1, zone: 'UTC' });

describe('a one-time grant', () => {
  const trial = { start: at('2026-01-10T09:00:00Z'), end: at('2026-01-24T09:00:00Z') };
  const once = (more: Partial<GrantRule>) =>
    told(oneTimeGrant(rule({ cadence: 'ONETIME', period: null, credits: new Decimal(100), ...more }), trial, 'UTC'));

  it('expires with the period it starts in, a trial being one', () => {
    expect(once({})).toBe('0: 100 at 2026-01-10T09:00:00.000Z until 2026-01-24T09:00:00.000Z');
  });
  it('expires a duration after it took effect', () => {
    expect(once({ expirationType: 'DURATION', expirationDuration: 1, expirationUnit: 'MONTH' })).toBe(
      '0: 100 at 2026-01-10T09:00:00.000Z until 2026-02-10T09:00:00.000Z',
    );
  });
  it('or never', () => {
    expect(once({ expirationType: 'NEVER' })).toBe('0: 100 at 2026-01-10T09:00:00.000Z until ever');
  });
  it('needs a duration to expire after one', () => {
    expect(() => once({ expirationType: 'DURATION' })).toThrow(RangeError);
  });
});

describe('a recurring grant', () => {
  const steps = (by: GrantRule, cycle: 'calendar' | 'anniversary', prorated: boolean, billing?: BillingPeriod) =>
    [0, 1, 2].map((index) => told(recurringStep(by, paid(cycle, billing), 'UTC', index, prorated)));

  it('steps from the anniversary, and each lot expires with its step', () => {
    expect(steps(rule(), 'anniversary', true)).toEqual([
      '0: 2000 at 2026-01-24T09:00:00.000Z until 2026-02-24T09:00:00.000Z',
      '1: 2000 at 2026-02-24T09:00:00.000Z until 2026-03-24T09:00:00.000Z',
      '2: 2000 at 2026-03-24T09:00:00.000Z until 2026-04-24T09:00:00.000Z',
    ]);
  });

  it('gives the share of a step cut by the start of paid time when fees are prorated', () => {
    expect(steps(rule(), 'calendar', true).slice(0, 2)).toEqual([
      '0: 491.935483870968 at 2026-01-24T09:00:00.000Z until 2026-02-01T00:00:00.000Z',
      '1: 2000 at 2026-02-01T00:00:00.000Z until 2026-03-01T00:00:00.000Z',
    ]);
  });

  it('gives all of it when fees are not prorated', () => {
    expect(steps(rule(), 'calendar', false)[0]).toBe(
      '0: 2000 at 2026-01-24T09:00:00.000Z until 2026-02-01T00:00:00.000Z',
    );
  });

  it('steps by its own period from the billing anchor: monthly credits of an annual plan', () => {
    expect(steps(rule({ expirationType: 'NEVER' }), 'calendar', false, 'ANNUAL')).toEqual([
      '0: 2000 at 2026-01-24T09:00:00.000Z until ever',
      '1: 2000 at 2026-02-01T00:00:00.000Z until ever',
      '2: 2000 at 2026-03-01T00:00:00.000Z until ever',
    ]);
  });

  it('is cut in its own step: weekly credits from 24 January, with the anchor on Sunday 1 February', () => {
    expect(steps(rule({ period: 'WEEKLY', credits: new Decimal(70) }), 'calendar', true)).toEqual([
      '0: 6.25 at 2026-01-24T09:00:00.000Z until 2026-01-25T00:00:00.000Z',
      '1: 70 at 2026-01-25T00:00:00.000Z until 2026-02-01T00:00:00.000Z',
      '2: 70 at 2026-02-01T00:00:00.000Z until 2026-02-08T00:00:00.000Z',
    ]);
  });

  it('of a new plan is given for what remains of the step, from the instant of the change', () => {
    const { anchor, whole } = paid('anniversary');
    const changed = { anchor, whole, firstPeriod: { start: at('2026-02-08T21:00:00Z'), end: whole.end } };
    expect([0, 1].map((index) => told(recurringStep(rule(), changed, 'UTC', index, true)))).toEqual([
      '0: 1000 at 2026-02-08T21:00:00.000Z until 2026-02-24T09:00:00.000Z',
      '1: 2000 at 2026-02-24T09:00:00.000Z until 2026-03-24T09:00:00.000Z',
    ]);
  });

  it('needs a period and counts from 0', () => {
    expect(() => recurringStep(rule({ period: null }), paid('calendar'), 'UTC', 0, true)).toThrow(RangeError);
    expect(() => recurringStep(rule(), paid('calendar'), 'UTC', -1, true)).toThrow(RangeError);
  });
});

describe('a grant that begins inside a step', () => {
  const timeline = startPaidTime(new Date('2026-01-01T00:00:00Z'), 'anniversary', {
    billingPeriod: 'MONTHLY',
    count: 1,
    zone: 'UTC',
  });
  const from = (instant: string, prorated: boolean) => {
    const { index, credits, expiresAt } = stepFrom(
      rule({ credits: new Decimal(310) }),
      timeline,
      'UTC',
      at(instant),
      prorated,
    );
    return [index, text(credits), expiresAt!.toISOString().slice(0, 10)];
  };

  it('gives what is left of the step, numbered as the step', () => {
    expect(from('2026-03-11T00:00:00Z', true)).toEqual([2, '210', '2026-04-01']);
    expect(from('2026-03-11T00:00:00Z', false)).toEqual([2, '310', '2026-04-01']);
    expect(from('2026-03-01T00:00:00Z', true)).toEqual([2, '310', '2026-04-01']);
  });

  it('before paid time gives its first step', () => {
    expect(from('2025-12-20T00:00:00Z', true)).toEqual([0, '310', '2026-02-01']);
  });
});
