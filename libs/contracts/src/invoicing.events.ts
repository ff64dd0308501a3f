import Type from 'typebox';
import { Amount, Currency, defineEvent, Id, Nullable } from './event.js';

const invoice = { invoice_id: Id, customer_id: Id, subscription_id: Nullable(Id), currency: Currency };

export const invoiceDrafted = defineEvent('invoice.drafted', 'An invoice was drafted', invoice);
export const invoiceFinalized = defineEvent('invoice.finalized', 'An invoice got its number and can change no more', {
  ...invoice,
  invoice_number: Type.String(),
  total: Amount,
  amount_due: Amount,
});
export const invoicePaid = defineEvent('invoice.paid', 'Nothing is left to pay on an invoice', {
  ...invoice,
  amount_paid: Amount,
  /** How many invoices of the subscription are still declined or overdue. */
  overdue_remaining: Type.Integer({ minimum: 0 }),
});
export const invoiceFellDue = defineEvent('invoice.fell_due', 'An invoice was unpaid at its due date', invoice);
export const invoicePaymentFailed = defineEvent('invoice.payment_failed', 'A payment of an invoice was declined', {
  ...invoice,
  payment_id: Id,
  reason: Type.String(),
});
export const invoiceVoided = defineEvent('invoice.voided', 'A finalized invoice was withdrawn', invoice);
export const paymentSucceeded = defineEvent('payment.succeeded', 'Money for an invoice arrived', {
  ...invoice,
  payment_id: Id,
  amount: Amount,
});
