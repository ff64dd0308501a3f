import Type from 'typebox';
import { Amount, Currency, defineEvent, Id, Instant, Nullable } from './event.js';

const wallet = { wallet_id: Id, customer_id: Id, currency: Currency };

export const walletCreated = defineEvent('wallet.created', 'A wallet was opened', wallet);
export const walletUpdated = defineEvent('wallet.updated', 'Settings of a wallet were changed', wallet);
export const walletTerminated = defineEvent(
  'wallet.terminated',
  'A wallet was closed and its rest written off',
  wallet,
);
export const creditsAdded = defineEvent(
  'credits.added',
  'Credits came into a wallet: a grant, a purchase, or a correction that returned them',
  {
    ...wallet,
    lot_id: Id,
    credits: Amount,
    source: Type.Enum(['grant', 'free', 'purchase', 'initial']),
    /** From when the credits count, however late they were booked. */
    effective_at: Instant,
  },
);
export const creditsReturned = defineEvent(
  'credits.returned',
  'Credits that had paid fees came back to their lots: the invoice was withdrawn',
  { invoice_id: Id, customer_id: Id, currency: Currency, credits: Amount },
);
export const creditsReversed = defineEvent(
  'credits.reversed',
  'The money of bought credits went back: what their lot still had was taken, the rest is owed',
  { ...wallet, reversal_id: Id, lot_id: Id, credits: Amount, debt: Amount },
);
export const creditsRestored = defineEvent(
  'credits.restored',
  'The money of reversed credits came back: what was taken returned to the lots, what was owed is owed no more',
  { ...wallet, reversal_id: Id, credits: Amount, debt: Amount },
);
export const walletDebtPaid = defineEvent(
  'wallet_debt.paid',
  'Credits that were just bought paid what a wallet owes; `debt` is what it still owes',
  { ...wallet, reversal_id: Id, credits: Amount, debt: Amount },
);
export const creditsWrittenOff = defineEvent('credits.written_off', 'The rest of an expired lot was written off', {
  ...wallet,
  lot_id: Id,
  credits: Amount,
});

export const walletFrozen = defineEvent('wallet.frozen', 'From a wallet no credits go out any more', wallet);
export const walletUnfrozen = defineEvent('wallet.unfrozen', 'A frozen wallet goes on', wallet);

const alert = {
  ...wallet,
  level: Type.Enum(['ok', 'info', 'warning', 'critical']),
  previous_level: Type.Enum(['ok', 'info', 'warning', 'critical']),
  /** Credits that can be spent. */
  balance: Amount,
};
export const balanceAlertRaised = defineEvent(
  'balance_alert.raised',
  'What can be spent from a wallet has crossed a threshold of its alerts for the worse',
  alert,
);
export const balanceAlertRecovered = defineEvent(
  'balance_alert.recovered',
  'What can be spent from a wallet has crossed a threshold of its alerts for the better',
  alert,
);

export const autoTopUpFellDue = defineEvent(
  'auto_top_up.fell_due',
  'What can be spent from a wallet is at or below the threshold of its automatic top-up',
  { ...wallet, balance: Amount },
);
export const autoTopUpOutdated = defineEvent(
  'auto_top_up.outdated',
  'What an automatic top-up has ordered is not paid and not wanted any more',
  { ...wallet, balance: Amount, invoice_id: Id },
);
export const autoTopUpOrdered = defineEvent(
  'auto_top_up.ordered',
  'A wallet buys credits by itself: the saved card is charged for the invoice; `retry`: again, after a failure',
  { ...wallet, invoice_id: Id, credits: Amount, retry: Type.Boolean() },
);
export const autoTopUpDeclined = defineEvent(
  'auto_top_up.declined',
  'An automatic top-up could not be charged: the invoice can be paid by hand; it is tried again at `next_attempt_at`',
  {
    ...wallet,
    invoice_id: Id,
    reason: Type.String(),
    /** In a row. */
    failures: Type.Integer({ minimum: 1 }),
    next_attempt_at: Nullable(Instant),
  },
);
export const autoTopUpStopped = defineEvent(
  'auto_top_up.stopped',
  'An automatic top-up failed too often in a row: it goes on when it is switched on again',
  { ...wallet, invoice_id: Id, failures: Type.Integer({ minimum: 1 }) },
);
