export { Dunning, DunningPolicy } from './dunning.entity.js';
export { AccountCreditEntry, CreditPurchase, Invoice, InvoiceLine } from './invoice.entity.js';
export { invoicingInvariants } from './invoicing.invariants.js';
export { InvoicingModule } from './invoicing.module.js';
export { CheckoutSession, Payment, PaymentAttempt, PaymentReceipt } from './payment.entity.js';
export { Dispute, Refund } from './refund.entity.js';
export { StandingClockJobs } from './standing-clock.jobs.js';
