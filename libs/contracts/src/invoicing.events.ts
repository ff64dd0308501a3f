import Type from 'typebox';
import { Amount, Currency, defineEvent, Id, Instant, Nullable } from './event.js';

const invoice = { invoice_id: Id, customer_id: Id, subscription_id: Nullable(Id), currency: Currency };

export const invoiceDrafted = defineEvent('invoice.drafted', 'An invoice was drafted', invoice);
export const invoiceDropped = defineEvent(
  'invoice.dropped',
  'A draft had nothing to bill when it was to be finalized, and is gone',
  invoice,
);
export const invoiceFinalized = defineEvent('invoice.finalized', 'An invoice got its number and can change no more', {
  ...invoice,
  invoice_number: Type.String(),
  total: Amount,
  amount_due: Amount,
});
export const invoiceCarried = defineEvent(
  'invoice.carried',
  'What an invoice asks is too little to be charged: it is asked for with the next invoice of the customer',
  { ...invoice, amount: Amount },
);
export const invoicePaid = defineEvent('invoice.paid', 'Nothing is left to pay on an invoice', {
  ...invoice,
  amount_paid: Amount,
  /** How many invoices of the subscription are still declined or overdue. */
  overdue_remaining: Type.Integer({ minimum: 0 }),
});
export const invoiceOverpaid = defineEvent(
  'invoice.overpaid',
  'More money arrived for an invoice than was due: somebody has to look at it',
  { ...invoice, payment_id: Id, overpaid_amount: Amount },
);
export const invoiceFellDue = defineEvent('invoice.fell_due', 'An invoice was unpaid at its due date', invoice);
export const invoicePaymentFailed = defineEvent('invoice.payment_failed', 'A payment of an invoice was declined', {
  ...invoice,
  payment_id: Id,
  reason: Type.String(),
});
export const invoiceVoided = defineEvent('invoice.voided', 'A finalized invoice was withdrawn', {
  ...invoice,
  /** As of `invoice.paid`. */
  overdue_remaining: Type.Integer({ minimum: 0 }),
});
export const invoiceCommsTriggered = defineEvent(
  'invoice.comms_triggered',
  'Somebody asked that the customer is sent the invoice',
  { ...invoice, invoice_number: Type.String() },
);
export const paymentSucceeded = defineEvent('payment.succeeded', 'Money for an invoice arrived', {
  ...invoice,
  payment_id: Id,
  amount: Amount,
});
export const paymentRefused = defineEvent(
  'payment.refused',
  'What is left to pay of an invoice is an amount that no card can be charged: nothing was tried',
  { ...invoice, payment_id: Id, reason: Type.String() },
);
export const attemptLeftOpen = defineEvent(
  'payment_attempt.left_open',
  'The outcome of a payment attempt is still not known: the gateway is asked',
  { attempt_id: Id, customer_id: Id, invoice_id: Id },
);
export const methodOutdated = defineEvent(
  'payment_attempt.outdated',
  'A payment method was declined that is not the default any more: the invoice is charged to the new one',
  { attempt_id: Id, customer_id: Id, invoice_id: Id, payment_method_id: Id },
);
export const checkoutLapsed = defineEvent(
  'checkout.lapsed',
  'A hosted page was not used in time, or what it asks for is not wanted any more: it is closed at the gateway',
  { session_id: Id, customer_id: Id },
);
export const purchaseStranded = defineEvent(
  'credit_purchase.stranded',
  'Credits were paid whose wallet had been closed: somebody has to give the money back',
  { ...invoice, wallet_id: Id, credits: Amount },
);

const dunning = { ...invoice, dunning_id: Id };

export const dunningStarted = defineEvent(
  'dunning.started',
  'An invoice was declined, or is overdue: `steps` are the instants at which its payment is tried again',
  { ...dunning, steps: Type.Array(Instant) },
);
export const dunningStepReached = defineEvent(
  'dunning.step_reached',
  'An instant of the schedule came: a saved card is charged again, where invoices are sent somebody may remind',
  { ...dunning, step: Type.Integer({ minimum: 1 }), steps: Type.Integer({ minimum: 1 }) },
);
export const dunningHealed = defineEvent('dunning.healed', 'An invoice that was dunned is paid', dunning);
export const dunningWithdrawn = defineEvent(
  'dunning.withdrawn',
  'An invoice that was dunned asks for nothing any more: it is void',
  dunning,
);
export const dunningExhausted = defineEvent(
  'dunning.exhausted',
  'The last step of the schedule brought no money: the subscription stays past due, or ends, or rests, as was agreed',
  { ...dunning, ending: Type.Enum(['keep', 'cancel', 'pause']) },
);

const refund = { ...invoice, refund_id: Id, payment_id: Id, amount: Amount };

export const refundCreated = defineEvent(
  'refund.created',
  'Money of a payment is given back; `credits` go back with it',
  {
    ...refund,
    credits: Amount,
  },
);
export const refundSucceeded = defineEvent('refund.succeeded', 'Money of a payment went back', refund);
export const refundFailed = defineEvent(
  'refund.failed',
  'Money of a payment did not go back after all: credits that went back with it returned',
  { ...refund, reason: Type.String() },
);
export const refundLeftOpen = defineEvent(
  'refund.left_open',
  'The outcome of a refund is still not known: the gateway is asked',
  { refund_id: Id, customer_id: Id, invoice_id: Id },
);

const dispute = { ...invoice, dispute_id: Id, payment_id: Id, amount: Amount };

export const disputeCreated = defineEvent(
  'dispute.created',
  'A customer claims money back at its bank, which has withdrawn it: what is left of credits it bought is set aside',
  { ...dispute, reason: Type.String() },
);
export const disputeWon = defineEvent(
  'dispute.won',
  'Disputed money came back, and so did what was set aside',
  dispute,
);
export const disputeLost = defineEvent(
  'dispute.lost',
  'Disputed money is gone: credits it bought that were spent are a debt of the wallet',
  dispute,
);
