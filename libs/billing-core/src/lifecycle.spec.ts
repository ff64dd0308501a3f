import {
  GRANT_APPLICATION_MOVES,
  HOLD_MOVES,
  INVOICE_MOVES,
  INVOICE_PAYMENT_MOVES,
  type Moves,
  PAYMENT_ATTEMPT_MOVES,
  SUBSCRIPTION_MOVES,
  canMove,
  isFinal,
  statusesOf,
} from './lifecycle.js';

/** Every lifecycle as a table of what may follow what: a changed table is a changed line here. */
const drawn = (moves: Moves<string>) =>
  statusesOf(moves).map((from) => `${from} -> ${moves[from]!.join(', ') || '(final)'}`);

it('a subscription', () => {
  expect(drawn(SUBSCRIPTION_MOVES)).toEqual([
    'draft -> incomplete, trialing, active, cancelled',
    'incomplete -> trialing, active, cancelled',
    'trialing -> active, past_due, paused, cancelled',
    'active -> past_due, paused, cancelled',
    'past_due -> active, paused, cancelled',
    'paused -> trialing, active, past_due, cancelled',
    'cancelled -> (final)',
  ]);
});

it('a hold is open until it is captured, released or expired', () => {
  expect(canMove(HOLD_MOVES, 'open', 'captured')).toBe(true);
  expect(canMove(HOLD_MOVES, 'expired', 'captured')).toBe(false);
  expect(isFinal(HOLD_MOVES, 'captured')).toBe(true);
});

it('an invoice is immutable but for being voided', () => {
  expect(canMove(INVOICE_MOVES, 'DRAFT', 'FINALIZED')).toBe(true);
  expect(canMove(INVOICE_MOVES, 'FINALIZED', 'DRAFT')).toBe(false);
  expect(canMove(INVOICE_MOVES, 'VOIDED', 'FINALIZED')).toBe(false);
});

it('a pending grant may be applied, an applied one stays', () => {
  expect(canMove(GRANT_APPLICATION_MOVES, 'pending', 'applied')).toBe(true);
  expect(isFinal(GRANT_APPLICATION_MOVES, 'applied')).toBe(true);
});

it('an unknown charge is resolved, never sent again', () => {
  expect(canMove(PAYMENT_ATTEMPT_MOVES, 'prepared', 'unknown')).toBe(true);
  expect(canMove(PAYMENT_ATTEMPT_MOVES, 'unknown', 'succeeded')).toBe(true);
  expect(canMove(PAYMENT_ATTEMPT_MOVES, 'unknown', 'prepared')).toBe(false);
});

it.each<[string, Moves<string>]>([
  ['subscription', SUBSCRIPTION_MOVES],
  ['invoice', INVOICE_MOVES],
  ['invoice payment', INVOICE_PAYMENT_MOVES],
  ['grant application', GRANT_APPLICATION_MOVES],
  ['hold', HOLD_MOVES],
  ['payment attempt', PAYMENT_ATTEMPT_MOVES],
])('%s: every status is reached from the first, none follows itself', (_, moves) => {
  const statuses = statusesOf(moves);
  const reached = new Set([statuses[0]!]);
  for (const status of reached) for (const next of moves[status]!) reached.add(next);
  expect([...reached].toSorted()).toEqual(statuses.toSorted());
  expect(statuses.filter((status) => canMove(moves, status, status))).toEqual([]);
});
