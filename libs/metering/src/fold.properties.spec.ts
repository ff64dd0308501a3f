import { Decimal, emptyAccrual, emptyCover, sum, text, ZERO } from '@drawdown/billing-core';
import type { UsageItem } from '@drawdown/subscriptions';
import { Purses, type PurseLot } from '@drawdown/wallets';
import fc from 'fast-check';
import { UsageFold } from './fold.js';
import { accrualKey, type OpenAccrual } from './open-accrual.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const START = new Date('2026-01-01T00:00:00Z');
const END = new Date('2026-02-01T00:00:00Z');
const minute = (n: number) => new Date(START.getTime() + n * 60_000);
const NAMES = ['rows', 'tables', 'calls'] as const;

const items: UsageItem[] = NAMES.map((eventName, place) => ({
  subscriptionId: 's1',
  customerId: 'c1',
  lineItemId: `item_${eventName}`,
  currency: 'usd',
  meterId: `meter_${eventName}`,
  startedAt: START,
  rule: {
    price: {
      model: 'TIERED',
      tierMode: 'SLAB',
      tiers: [
        { upTo: new Decimal(5), unitAmount: new Decimal('1.5'), flatAmount: null },
        { upTo: null, unitAmount: new Decimal('0.7'), flatAmount: new Decimal(place) },
      ],
    },
    meter: { eventName, filters: [], aggregation: { type: 'SUM', field: 'n' }, resetUsage: 'BILLING_PERIOD' },
    allowance: place === 1 ? new Decimal(3) : null,
  },
  running: true,
  chained: false,
  itemStart: START,
  itemEnd: null,
  period: { id: 'p1', number: 1, kind: 'paid', start: START, end: END, open: true },
}));

const unused = (item: UsageItem): OpenAccrual => ({
  subscriptionId: 's1',
  lineItemId: item.lineItemId,
  periodId: 'p1',
  customerId: 'c1',
  currency: 'usd',
  period: { kind: 'paid', start: START, end: END, closed: false, settled: false },
  state: emptyAccrual(),
  events: 0,
  quantity: ZERO,
  free: ZERO,
  billable: ZERO,
  cover: emptyCover(),
  draws: [],
  shortNo: null,
  freeBefore: new Decimal(0),
  eventless: new Decimal(0),
  late: false,
});

const lots = fc.array(
  fc.record({ credits: fc.integer({ min: 1, max: 40 }), priority: fc.integer({ min: 0, max: 2 }) }),
  {
    maxLength: 5,
  },
);
const events = fc.array(
  fc.record({ name: fc.constantFrom(...NAMES), n: fc.integer({ min: -8, max: 8 }).map((tenths) => tenths / 2) }),
  { maxLength: 40 },
);
const RATES = ['1', '0.01', '3', '0.7'];

function world(amounts: readonly { credits: number; priority: number }[], rate: string) {
  const purse = amounts.map(({ credits, priority }, place): PurseLot => ({
    id: `lot_${place}`,
    walletId: 'w1',
    customerId: 'c1',
    currency: 'usd',
    usable: true,
    priority,
    effectiveAt: START,
    expiresAt: null,
    purchased: false,
    createdAt: START,
    remaining: new Decimal(credits),
    held: ZERO,
    rate: new Decimal(rate),
  }));
  const accruals = new Map(items.map((item) => [accrualKey(item.lineItemId, 'p1'), unused(item)]));
  const open = () => new UsageFold(items, accruals, new Purses(purse, new Map([['c1 usd', new Decimal(rate)]])));
  return { purse, accruals: [...accruals.values()], open };
}

describe('after any events, in any batches', () => {
  it('every lot and accrual adds up, and no shortfall stands beside credits that may pay it', () => {
    fc.assert(
      fc.property(
        lots,
        events,
        fc.constantFrom(...RATES),
        fc.integer({ min: 1, max: 7 }),
        (amounts, list, rate, size) => {
          const { purse, accruals, open } = world(amounts, rate);
          const granted = sum(purse.map((lot) => lot.remaining));
          let net = ZERO;
          for (let from = 0; from < list.length; from += size) {
            const fold = open();
            list.slice(from, from + size).forEach(({ name, n }, place) => {
              const at = minute(from + place);
              fold.fold({ customerId: 'c1', eventName: name, at, properties: { n } }, at);
            });
            net = net.plus(sum(fold.coverage.netDraws().map(({ credits }) => credits)));
          }
          const left = sum(purse.map((lot) => lot.remaining));
          expect(purse.every((lot) => lot.remaining.gte(ZERO))).toBe(true);
          expect(text(granted.minus(left))).toBe(text(net));
          expect(text(sum(accruals.map(({ cover }) => cover.credits)))).toBe(text(net));
          for (const { state, cover, draws } of accruals) {
            expect(text(cover.covered.plus(cover.shortfall))).toBe(state.accrued);
            expect(text(sum(draws.map(({ credits }) => credits)))).toBe(text(cover.credits));
          }
          // The last 1e-12 of money may fall short under a rate that doesn't divide evenly.
          const short = sum(accruals.map(({ cover }) => cover.shortfall));
          const spendable = left.times(rate);
          expect(Decimal.min(short, spendable).lt('0.00000000001')).toBe(true);
        },
      ),
      RUNS,
    );
  });

  it('the totals are those of one batch', () => {
    fc.assert(
      fc.property(lots, events, fc.integer({ min: 1, max: 7 }), (amounts, list, size) => {
        const [whole, cut] = [world(amounts, '1'), world(amounts, '1')];
        const report = (fold: UsageFold, { name, n }: { name: string; n: number }, at: Date) =>
          fold.fold({ customerId: 'c1', eventName: name, at, properties: { n } }, at);
        const one = whole.open();
        list.forEach((event, place) => report(one, event, minute(place)));
        for (let from = 0; from < list.length; from += size) {
          const fold = cut.open();
          list.slice(from, from + size).forEach((event, place) => report(fold, event, minute(from + place)));
        }
        const said = ({ purse, accruals }: ReturnType<typeof world>) => [
          purse.map((lot) => text(lot.remaining)),
          accruals.map(({ cover }) => [text(cover.covered), text(cover.shortfall)]),
        ];
        expect(said(cut)).toEqual(said(whole));
      }),
      RUNS,
    );
  });
});
