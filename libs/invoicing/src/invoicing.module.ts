import { CustomersModule } from '@drawdown/customers';
import { MeteringModule } from '@drawdown/metering';
import { SubscriptionsModule } from '@drawdown/subscriptions';
import { WalletsModule } from '@drawdown/wallets';
import { Module } from '@nestjs/common';
import { AutoTopUpsListener } from './auto-top-ups.listener.js';
import { AutoTopUps } from './auto-top-ups.service.js';
import { AccountCredits } from './account-credits.service.js';
import { BillComposer } from './bill-composer.js';
import { ChargeDesk } from './charge-desk.js';
import { CheckoutDesk } from './checkout-desk.js';
import { Collection } from './collection.service.js';
import { CreditPayments } from './credit-payments.service.js';
import { CreditPurchases } from './credit-purchases.service.js';
import { Disputes } from './disputes.service.js';
import { DunningController } from './dunning.controller.js';
import { DunningPolicies } from './dunning-policy.service.js';
import { Dunnings } from './dunning.service.js';
import { FeePayments } from './fee-payments.service.js';
import { FirstPayments } from './first-payments.service.js';
import { HostedPages } from './hosted-pages.service.js';
import { InvoiceBook } from './invoice-book.js';
import { InvoiceDesk } from './invoice-desk.js';
import { InvoicePapersController } from './invoice-papers.controller.js';
import { InvoicePapers } from './invoice-papers.service.js';
import { InvoicedEventsController } from './invoiced-events.controller.js';
import { InvoicedEvents } from './invoiced-events.service.js';
import { InvoicesController } from './invoices.controller.js';
import { InvoicesService } from './invoices.service.js';
import { InvoicingJobs } from './invoicing.jobs.js';
import { InvoicingListener } from './invoicing.listener.js';
import { LineBreakdowns } from './line-breakdowns.service.js';
import { OneOffInvoices } from './one-off-invoices.service.js';
import { PaymentDesk } from './payment-desk.js';
import { PaymentLinks } from './payment-links.service.js';
import { PaymentLinksController } from './payment-links.controller.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { PurchaseReversals } from './purchase-reversals.service.js';
import { Receivables } from './receivables.service.js';
import { RefundBook } from './refund-book.js';
import { RefundDesk } from './refund-desk.js';
import { Refunding } from './refunding.service.js';
import { RefundsController } from './refunds.controller.js';
import { ReversalsListener } from './reversals.listener.js';
import { Settlement } from './settlement.service.js';
import { StandingClockJobs } from './standing-clock.jobs.js';
import { SubscriptionBillingController } from './subscription-billing.controller.js';
import { SubscriptionChangesController } from './subscription-changes.controller.js';
import { SubscriptionInvoices } from './subscription-invoices.service.js';
import { TopUpsController } from './top-ups.controller.js';
import { TopUps } from './top-ups.service.js';
import { WalletBalances } from './wallet-balances.service.js';

/** Invoices and how their money is collected. Nobody asks it anything: it hears events and answers HTTP. */
@Module({
  imports: [CustomersModule, SubscriptionsModule, MeteringModule, WalletsModule],
  controllers: [
    InvoicesController,
    InvoicedEventsController,
    InvoicePapersController,
    PaymentsController,
    PaymentLinksController,
    DunningController,
    RefundsController,
    SubscriptionBillingController,
    SubscriptionChangesController,
    TopUpsController,
  ],
  providers: [
    BillComposer,
    AccountCredits,
    InvoiceBook,
    Receivables,
    SubscriptionInvoices,
    InvoicesService,
    InvoicedEvents,
    FeePayments,
    InvoicePapers,
    OneOffInvoices,
    LineBreakdowns,
    InvoiceDesk,
    PaymentDesk,
    CreditPayments,
    CreditPurchases,
    AutoTopUps,
    AutoTopUpsListener,
    TopUps,
    WalletBalances,
    Settlement,
    ChargeDesk,
    Collection,
    DunningPolicies,
    Dunnings,
    FirstPayments,
    PurchaseReversals,
    RefundBook,
    RefundDesk,
    Refunding,
    Disputes,
    CheckoutDesk,
    HostedPages,
    PaymentLinks,
    PaymentsService,
    InvoicingListener,
    ReversalsListener,
    InvoicingJobs,
    StandingClockJobs,
  ],
})
export class InvoicingModule {}
