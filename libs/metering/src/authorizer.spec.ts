import { Decimal, emptyAccrual, emptyCover, text, type Aggregation } from '@drawdown/billing-core';
import type { AggregatedFeature, UsageItem } from '@drawdown/subscriptions';
import { Purses, type OpenUse, type PurseLot } from '@drawdown/wallets';
import { Authorizer, type Standing, type Wanted } from './authorizer.js';
import { UsageFold } from './fold.js';
import { accrualKey, type OpenAccrual } from './open-accrual.js';

const d = (value: string | number) => new Decimal(value);
const START = new Date('2026-01-10T09:00:00Z');
const END = new Date('2026-02-10T09:00:00Z');
const NOW = new Date('2026-01-12T12:00:00Z');
const BEFORE = new Date('2026-01-12T11:00:00Z');

interface Priced {
  price?: string;
  allowance?: string;
  aggregation?: Aggregation;
}

/** Rows at 1.5 unless told otherwise, of a period that has begun before now. */
function rows({ price = '1.5', allowance, aggregation = { type: 'SUM', field: 'n' } }: Priced = {}) {
  const item: UsageItem = {
    subscriptionId: 's1',
    customerId: 'c1',
    lineItemId: 'item',
    currency: 'usd',
    meterId: 'meter',
    startedAt: START,
    rule: {
      price: { model: 'FLAT_FEE', amount: d(price) },
      meter: { eventName: 'row', filters: [], aggregation, resetUsage: 'BILLING_PERIOD' },
      allowance: allowance ? d(allowance) : null,
    },
    running: true,
    chained: false,
    itemStart: START,
    itemEnd: null,
    period: { id: 'p1', number: 1, kind: 'paid', start: START, end: END, open: true },
  };
  const accrual: OpenAccrual = {
    subscriptionId: 's1',
    lineItemId: 'item',
    periodId: 'p1',
    customerId: 'c1',
    currency: 'usd',
    period: { kind: 'paid', start: START, end: END, closed: false, settled: false },
    state: emptyAccrual(),
    events: 0,
    quantity: d(0),
    free: d(0),
    billable: d(0),
    cover: emptyCover(),
    draws: [],
    shortNo: null,
    freeBefore: d(0),
    eventless: d(0),
    late: false,
  };
  return { item, accrual };
}

const lot = (id: string, remaining: string, more: Partial<PurseLot> = {}): PurseLot => ({
  id,
  walletId: 'w1',
  customerId: 'c1',
  currency: 'usd',
  usable: true,
  priority: null,
  effectiveAt: START,
  expiresAt: null,
  purchased: false,
  createdAt: START,
  remaining: d(remaining),
  held: d(0),
  rate: d(1),
  ...more,
});

const use = (n: string | number): Wanted => ({ kind: 'use', eventName: 'row', properties: { n } });
const credits = (amount: string): Wanted => ({ kind: 'credits', credits: d(amount), currency: null });
const openUse = (n: string, at = BEFORE): OpenUse => ({
  customerId: 'c1',
  use: { eventName: 'row', properties: { n } },
  at,
});

interface World {
  item?: ReturnType<typeof rows> | null;
  lots?: PurseLot[];
  open?: OpenUse[];
  standing?: Partial<Standing>;
  prepaid?: boolean;
}

function world({ item = rows(), lots = [], open = [], standing = {}, prepaid = true }: World = {}) {
  const items = item ? [item] : [];
  const accruals = new Map(items.map(({ accrual }) => [accrualKey('item', 'p1'), accrual]));
  const purses = new Purses(lots, new Map([['c1 usd', d(1)]]), new Set(prepaid ? ['c1 usd'] : []));
  const fold = new UsageFold(
    items.map((one) => one.item),
    accruals,
    purses,
  );
  const usual: Standing = {
    currency: 'usd',
    features: [],
    counted: new Map(),
    pricedMeters: new Set(['meter']),
    ...standing,
  };
  const authorizer = new Authorizer(fold, purses, new Map([['c1', usual]]), open, NOW);
  const ask = (wanted: Wanted) => {
    const verdict = authorizer.ask('c1', wanted);
    const held = verdict.parts.map((part) => `${part.lotId} ${text(part.credits)}`).join(', ');
    return { verdict, said: verdict.reason ?? held };
  };
  const keep = (wanted: Wanted) => {
    const { verdict, said } = ask(wanted);
    authorizer.keep('c1', verdict);
    return said;
  };
  return { authorizer, ask, keep, balance: () => text(authorizer.balance('c1', 'usd')) };
}

describe('a use', () => {
  it('holds what it would burn, of lots in burn order, and leaves less to the next', () => {
    const { keep, balance } = world({ lots: [lot('a', '10'), lot('b', '30')] });
    expect(keep(use(20))).toBe('a 10, b 20');
    expect(balance()).toBe('10');
    expect(keep(use(7))).toBe('insufficient_credits');
    expect(keep(use(6))).toBe('b 9');
    expect(balance()).toBe('1');
  });

  it('that is refused takes nothing, and one that is not kept gives everything back', () => {
    const { authorizer, ask, balance } = world({ lots: [lot('a', '10')] });
    ask(use(7));
    expect(balance()).toBe('10');
    const { verdict } = ask(use(6));
    expect(balance()).toBe('1');
    authorizer.drop(verdict);
    expect(balance()).toBe('10');
  });

  it('counts free units that open uses have, those of this group too', () => {
    const { keep } = world({
      item: rows({ allowance: '5', price: '10' }),
      lots: [lot('a', '100')],
      open: [openUse('3')],
    });
    expect([keep(use(1)), keep(use(1)), keep(use(1))]).toEqual(['', '', 'a 10']);
  });

  it('does not count an open use of another period', () => {
    const before = openUse('5', new Date(START.getTime() - 1));
    const { keep } = world({ item: rows({ allowance: '5' }), lots: [lot('a', '100')], open: [before] });
    expect(keep(use(5))).toBe('');
  });

  it('of the greatest value costs only what it is beyond the greatest so far', () => {
    const peak = rows({ aggregation: { type: 'MAX', field: 'n' }, price: '1' });
    const { keep } = world({ item: peak, lots: [lot('a', '100')], open: [openUse('10')] });
    expect([keep(use(8)), keep(use(12)), keep(use(12))]).toEqual(['', 'a 2', '']);
  });

  it('below zero holds nothing', () => {
    expect(world({ lots: [lot('a', '1')] }).keep(use(-5))).toBe('');
  });

  it('does not hold lots that have expired, take effect after the period, or are held', () => {
    const lots = [
      lot('expired', '10', { expiresAt: NOW }),
      lot('later', '10', { effectiveAt: END }),
      lot('held', '10', { held: d(10) }),
      lot('good', '10', { expiresAt: new Date(NOW.getTime() + 1) }),
    ];
    expect(world({ lots }).keep(use(6))).toBe('good 9');
  });

  it('is allowed without credits where the customer has no wallet', () => {
    const { ask } = world({ prepaid: false });
    expect(ask(use(1000)).verdict).toMatchObject({ reason: null, parts: [] });
  });

  it.each([
    ['lacks what is counted', { kind: 'use', eventName: 'row', properties: {} }],
    ['is no number', use('many')],
  ] as [string, Wanted][])('that %s is a bad request', (_, wanted) => {
    expect(() => world({ lots: [lot('a', '10')] }).ask(wanted)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('of nothing that is sold is not entitled, without a subscription it says so', () => {
    expect(world({ item: null }).ask(use(1)).said).toBe('not_entitled');
    expect(world({ standing: { currency: null } }).ask(use(1)).said).toBe('no_running_subscription');
  });
});

describe('a limit', () => {
  const feature = (limit: number, isSoftLimit = false) =>
    ({
      feature: { id: 'f1' },
      meter: {
        id: 'limited',
        eventName: 'row',
        filters: [],
        aggregation: { type: 'SUM', field: 'n' },
        resetUsage: 'BILLING_PERIOD',
      },
      entitlement: { isEnabled: true, usageLimit: d(limit), isSoftLimit },
      sources: [],
    }) as unknown as AggregatedFeature;
  const counted = new Map([
    ['limited', { rule: rows().item.rule, state: emptyAccrual() }],
  ]) as unknown as Standing['counted'];
  const limited = (given: AggregatedFeature) =>
    world({ item: null, open: [openUse('3')], standing: { features: [given], counted, pricedMeters: new Set() } });

  it('counts open uses, and what is allowed meanwhile', () => {
    const { keep } = limited(feature(5));
    expect([keep(use(1)), keep(use(2)), keep(use(1)), keep(use(1))]).toEqual([
      '',
      'limit_reached',
      '',
      'limit_reached',
    ]);
  });

  it('that is soft refuses nothing', () => {
    expect(limited(feature(5, true)).keep(use(100))).toBe('');
  });
});

describe('plain credits', () => {
  it('are held as they are, never more than there are', () => {
    const { keep, balance } = world({ lots: [lot('a', '10'), lot('b', '10')] });
    expect([keep(credits('15')), balance(), keep(credits('5.000000000001')), keep(credits('5'))]).toEqual([
      'a 10, b 5',
      '5',
      'insufficient_credits',
      'b 5',
    ]);
  });

  it('need no subscription', () => {
    expect(world({ lots: [lot('a', '10')], standing: { currency: null } }).keep(credits('1'))).toBe('a 1');
  });
});
