import { statusesOf, type Moves } from '@drawdown/billing-core';
import { describe, expect, it } from '@jest/globals';
import {
  ATTEMPT_MOVES,
  ATTEMPT_STATES,
  CHECKOUT_MOVES,
  CHECKOUT_STATUSES,
  INVOICE_MOVES,
  INVOICE_PAYMENT_MOVES,
  INVOICE_PAYMENT_STATUSES,
  INVOICE_STATUSES,
  isOpen,
  move,
  PAYMENT_MOVES,
  PAYMENT_STATUSES,
  PURCHASE_MOVES,
  PURCHASE_STATES,
} from './lifecycles.js';

/** Every move there is, as one line each. */
const movesOf = (moves: Moves<string>): string[] =>
  Object.entries(moves).map(([from, to]) => `${from}: ${to.join(' ')}`.trim());

describe('the lifecycles', () => {
  it.each([
    ['an invoice', INVOICE_MOVES, INVOICE_STATUSES],
    ['how far it is paid', INVOICE_PAYMENT_MOVES, INVOICE_PAYMENT_STATUSES],
    ['a payment', PAYMENT_MOVES, PAYMENT_STATUSES],
    ['an attempt', ATTEMPT_MOVES, ATTEMPT_STATES],
    ['a hosted page', CHECKOUT_MOVES, CHECKOUT_STATUSES],
    ['a purchase of credits', PURCHASE_MOVES, PURCHASE_STATES],
  ])('%s: each status has its row, and every move ends in a status', (_what, moves: Moves<string>, statuses) => {
    expect(statusesOf(moves).toSorted()).toEqual(statuses.toSorted());
    expect(
      Object.values(moves)
        .flat()
        .filter((to) => !(statuses as readonly string[]).includes(to)),
    ).toEqual([]);
  });

  it('success is final, and reached from every state of an attempt that was sent', () => {
    expect(ATTEMPT_MOVES.succeeded).toEqual([]);
    const sent = ATTEMPT_STATES.filter((state) => state !== 'created' && state !== 'succeeded');
    expect(sent.filter((state) => !(ATTEMPT_MOVES[state] as readonly string[]).includes('succeeded'))).toEqual([]);
  });

  it('an attempt that was committed can only be sent, and one that is closed never opens again', () => {
    expect(ATTEMPT_MOVES.created).toEqual(['sent']);
    const reopened = ATTEMPT_STATES.filter((state) => !isOpen({ state })).flatMap((state) =>
      ATTEMPT_MOVES[state].filter((to) => isOpen({ state: to })),
    );
    expect(reopened).toEqual([]);
  });

  it('money reaches a page, a payment and a purchase whatever they had become', () => {
    expect(movesOf(CHECKOUT_MOVES)).toEqual(
      expect.arrayContaining(['expired: complete', 'failed: complete', 'complete:']),
    );
    expect(PAYMENT_MOVES.FAILED).toContain('SUCCEEDED');
    expect(PURCHASE_MOVES.dropped).toContain('granted');
  });

  it('a move that there is not is a mistake of ours', () => {
    expect(move(INVOICE_MOVES, 'DRAFT', 'FINALIZED')).toBe('FINALIZED');
    expect(() => move(INVOICE_MOVES, 'FINALIZED', 'DRAFT')).toThrow('no move from FINALIZED to DRAFT');
  });
});
