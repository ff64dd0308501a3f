import { Decimal, text } from '@drawdown/billing-core';
import { book, chainFault, type BookedLot, type BookedWallet, type Bookings, type ChainedEntry } from './ledger.js';
import type { Movement } from './movement.js';

const at = new Date('2026-01-10T09:00:00Z');
const d = (value: string | number) => new Decimal(value);
const lot = (lotId: string, remaining: string, more: Partial<BookedLot> = {}): BookedLot => ({
  lotId,
  walletId: 'w1',
  customerId: 'c1',
  granted: d(100),
  remaining: d(remaining),
  held: new Decimal(0),
  writtenOff: false,
  usable: true,
  ...more,
});
const wallet = (balance: string, more: Partial<BookedWallet> = {}): BookedWallet => ({
  walletId: 'w1',
  balance: d(balance),
  seq: 0,
  hash: Buffer.alloc(0),
  ...more,
});
const move = (lotId: string, credits: string, kind: Movement['kind'], key = `${kind} ${lotId}`): Movement => ({
  lotId,
  credits: d(credits),
  kind,
  cause: { type: 'request', id: 'r1' },
  key,
});

function booked(movements: Movement[], lots: BookedLot[], wallets: BookedWallet[]): Bookings {
  let id = 0;
  return book(
    movements,
    new Map(lots.map((one) => [one.lotId, one])),
    new Map(wallets.map((one) => [one.walletId, one])),
    'env_1',
    at,
    () => `e${++id}`,
  );
}

describe('booking movements', () => {
  it('numbers the entries of each wallet and carries balance and lot along', () => {
    const { entries, lots, wallets } = booked(
      [move('a', '-30', 'burn'), move('b', '-5', 'burn'), move('a', '-10', 'debit')],
      [lot('a', '100'), lot('b', '20', { walletId: 'w2' })],
      [wallet('100', { seq: 7 }), wallet('20', { walletId: 'w2' })],
    );
    expect(entries.map((one) => [one.walletId, one.seq, text(one.balanceAfter), text(one.lotRemainingAfter)])).toEqual([
      ['w1', 8, '70', '70'],
      ['w2', 1, '15', '15'],
      ['w1', 9, '60', '60'],
    ]);
    expect(lots.map((one) => text(one.remaining))).toEqual(['60', '15']);
    expect(wallets.map((one) => [one.seq, text(one.balance)])).toEqual([
      [9, '60'],
      [1, '15'],
    ]);
  });

  it('books what comes in first, so that a lot emptied by one item can take back from another', () => {
    const { entries } = booked([move('a', '-15', 'burn'), move('a', '5', 'return')], [lot('a', '10')], [wallet('10')]);
    expect(entries.map((one) => text(one.lotRemainingAfter))).toEqual(['15', '0']);
  });

  it('writes off with its lot what returns to one that was written off', () => {
    const { entries, lots } = booked([move('a', '4', 'return')], [lot('a', '0', { writtenOff: true })], [wallet('50')]);
    expect(entries.map((one) => [one.kind, text(one.credits), one.businessKey])).toEqual([
      ['return', '4', 'return a'],
      ['write_off', '-4', 'return a:write_off'],
    ]);
    expect(lots.map((one) => text(one.remaining))).toEqual(['0']);
  });

  it.each([
    ['more than a lot has', '-11', 'burn'],
    ['more than was granted', '91', 'return'],
    ['nothing', '0', 'burn'],
  ] as const)('refuses to move %s', (_, credits, kind) => {
    expect(() => booked([move('a', credits, kind)], [lot('a', '10')], [wallet('10')])).toThrow(RangeError);
  });
});

describe('the hash chain', () => {
  const { entries } = booked(
    [move('a', '100', 'add'), move('a', '-30', 'burn'), move('a', '-20', 'burn', 'burn again')],
    [lot('a', '0')],
    [wallet('0')],
  );
  const tampered = (place: number, change: Partial<ChainedEntry>) =>
    entries.map((entry, index) => (index === place ? { ...entry, ...change } : entry));

  it('is intact as booked', () => {
    expect(chainFault(entries, 'env_1')).toBeNull();
  });

  it.each<[string, Partial<ChainedEntry>]>([
    ['an amount', { credits: d('-3'), balanceAfter: d('97') }],
    ['a cause', { causeId: 'r2' }],
    ['a time', { at: new Date('2026-01-10T09:00:00.001Z') }],
    ['a note', { metadata: { by: 'nobody' } }],
    ['a lot', { lotId: 'b' }],
  ])('shows that %s was changed', (_, change) => {
    expect(chainFault(tampered(1, change), 'env_1')).not.toBeNull();
  });

  it('shows that an entry is missing, or was put in', () => {
    expect(chainFault(entries.toSpliced(1, 1), 'env_1')).toContain('number 3 follows 1');
    expect(chainFault(entries.toSpliced(1, 0, entries[0]!), 'env_1')).toContain('number 1 follows 1');
  });

  it('belongs to its environment', () => {
    expect(chainFault(entries, 'env_2')).not.toBeNull();
  });
});
