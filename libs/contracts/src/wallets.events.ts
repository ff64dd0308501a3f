import Type from 'typebox';
import { Amount, Currency, defineEvent, Id, Instant } from './event.js';

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
