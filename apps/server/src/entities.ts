import { Customer } from '@drawdown/customers';
import { Feature, Meter } from '@drawdown/features';
import {
  AccountCreditEntry,
  CheckoutSession,
  CreditPurchase,
  Dispute,
  Dunning,
  DunningPolicy,
  Invoice,
  InvoiceLine,
  Payment,
  PaymentAttempt,
  PaymentReceipt,
  Refund,
} from '@drawdown/invoicing';
import { Accrual, UsageEvent, UsagePeriod } from '@drawdown/metering';
import { CreditGrant, Entitlement, Plan, Price } from '@drawdown/plans';
import { PaymentMethod, StripeCheckout, StripeCustomer, StripeEvent } from '@drawdown/stripe';
import {
  CreditGrantApplication,
  LineItem,
  Pause,
  Period,
  Subscription,
  SubscriptionEntitlement,
  SubscriptionGrant,
  SubscriptionSchedule,
} from '@drawdown/subscriptions';
import { CreditReversal, LedgerEntry, Lot, Wallet } from '@drawdown/wallets';

/** Every table the ORM knows, beside the platform's own. */
export const entities = [
  Feature,
  Meter,
  Plan,
  Price,
  Entitlement,
  CreditGrant,
  Customer,
  Subscription,
  LineItem,
  Period,
  SubscriptionEntitlement,
  SubscriptionGrant,
  CreditGrantApplication,
  SubscriptionSchedule,
  Pause,
  Wallet,
  Lot,
  LedgerEntry,
  CreditReversal,
  UsageEvent,
  UsagePeriod,
  Accrual,
  Invoice,
  InvoiceLine,
  AccountCreditEntry,
  CreditPurchase,
  Dunning,
  DunningPolicy,
  Payment,
  PaymentAttempt,
  PaymentReceipt,
  Refund,
  Dispute,
  CheckoutSession,
  StripeCustomer,
  StripeCheckout,
  PaymentMethod,
  StripeEvent,
];
