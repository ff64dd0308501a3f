import {
  attemptLeftOpen,
  chargeSettled,
  checkoutLapsed,
  checkoutSettled,
  dunningStepReached,
  type EventEnvelope,
  invoiceFellDue,
  invoiceFinalized,
  invoicePaid,
  invoicePaymentFailed,
  invoiceVoided,
  itemsChanged,
  methodOutdated,
  paymentMethodSaved,
  type PayloadOf,
  periodOpened,
  SAVED_METHODS,
  type SavedMethods,
  subscriptionCancelled,
  subscriptionPaused,
  walletTerminated,
} from '@drawdown/contracts';
import { AfterCommit, InTransaction, type Scope, type Tx } from '@drawdown/platform';
import { Inject, Injectable } from '@nestjs/common';
import { AutoTopUps } from './auto-top-ups.service.js';
import type { Cause } from './charge-desk.js';
import { Collection } from './collection.service.js';
import { CreditPurchases } from './credit-purchases.service.js';
import { Dunnings } from './dunning.service.js';
import { FirstPayments } from './first-payments.service.js';
import { HostedPages } from './hosted-pages.service.js';
import { Settlement } from './settlement.service.js';
import { SubscriptionInvoices } from './subscription-invoices.service.js';

/** What invoicing does when others speak. What talks to the gateway waits for the commit. */
@Injectable()
export class InvoicingListener {
  constructor(
    private readonly ofSubscriptions: SubscriptionInvoices,
    private readonly settlement: Settlement,
    private readonly collection: Collection,
    private readonly pages: HostedPages,
    private readonly purchases: CreditPurchases,
    private readonly dunnings: Dunnings,
    private readonly firstPayments: FirstPayments,
    private readonly autoTopUps: AutoTopUps,
    @Inject(SAVED_METHODS) private readonly savedMethods: SavedMethods<Tx>,
  ) {}

  @InTransaction(periodOpened)
  async draftTheCycle(tx: Tx, payload: PayloadOf<typeof periodOpened>): Promise<void> {
    await this.ofSubscriptions.periodOpened(tx, payload);
    await this.firstPayments.await(tx, payload.subscription_id);
  }

  @InTransaction(subscriptionCancelled)
  async draftTheEnd(tx: Tx, payload: PayloadOf<typeof subscriptionCancelled>): Promise<void> {
    await this.firstPayments.cancelled(tx, payload.subscription_id);
    await this.ofSubscriptions.cancelled(tx, payload);
  }

  @InTransaction(subscriptionPaused)
  draftTheRest(tx: Tx, payload: PayloadOf<typeof subscriptionPaused>): Promise<void> {
    return this.ofSubscriptions.paused(tx, payload);
  }

  @InTransaction(itemsChanged)
  billTheChange(tx: Tx, payload: PayloadOf<typeof itemsChanged>): Promise<void> {
    return this.ofSubscriptions.itemsChanged(tx, payload);
  }

  @InTransaction(chargeSettled)
  settleTheCharge(tx: Tx, payload: PayloadOf<typeof chargeSettled>): Promise<void> {
    return this.settlement.attemptSettled(tx, payload.attempt_id, payload.outcome);
  }

  @InTransaction(checkoutSettled)
  settleThePage(tx: Tx, payload: PayloadOf<typeof checkoutSettled>): Promise<void> {
    return this.settlement.checkoutSettled(tx, payload);
  }

  @InTransaction(walletTerminated)
  async abandonItsPurchases(tx: Tx, payload: PayloadOf<typeof walletTerminated>): Promise<void> {
    const beingPaid = await this.purchases.walletClosed(tx, payload.wallet_id);
    for (const invoiceId of beingPaid) await this.pages.withdraw(tx, invoiceId);
  }

  @InTransaction(invoicePaymentFailed)
  async dunTheDeclined(tx: Tx, payload: PayloadOf<typeof invoicePaymentFailed>): Promise<void> {
    if (payload.subscription_id) await this.firstPayments.declined(tx, payload.subscription_id);
    await this.dunnings.declined(tx, payload.invoice_id);
  }

  @InTransaction(invoiceFellDue)
  dunTheOverdue(tx: Tx, payload: PayloadOf<typeof invoiceFellDue>): Promise<void> {
    return this.dunnings.fellDue(tx, payload.invoice_id);
  }

  @InTransaction(invoicePaid)
  stopDunningThePaid(tx: Tx, payload: PayloadOf<typeof invoicePaid>): Promise<void> {
    return this.dunnings.healed(tx, payload.invoice_id, payload.overdue_remaining);
  }

  @InTransaction(invoiceVoided)
  stopDunningTheVoided(tx: Tx, payload: PayloadOf<typeof invoiceVoided>): Promise<void> {
    return this.dunnings.withdrawn(tx, payload.invoice_id);
  }

  @InTransaction(invoicePaid)
  closePagesOfThePaid(tx: Tx, payload: PayloadOf<typeof invoicePaid>): Promise<void> {
    return this.pages.withdraw(tx, payload.invoice_id);
  }

  @InTransaction(invoiceVoided)
  closePagesOfTheVoided(tx: Tx, payload: PayloadOf<typeof invoiceVoided>): Promise<void> {
    return this.pages.withdraw(tx, payload.invoice_id);
  }

  /** Who has no card pays by link. A card that is saved later, under the customer's lock as this is, collects for itself. */
  async hasCard(tx: Tx, { customer_id: customerId }: PayloadOf<typeof invoiceFinalized>): Promise<boolean> {
    return (await this.savedMethods.defaultOf(tx, customerId)) !== null;
  }

  @AfterCommit(invoiceFinalized, { onlyIf: 'hasCard' })
  async collectWhatIsDue(payload: PayloadOf<typeof invoiceFinalized>, envelope: EventEnvelope): Promise<void> {
    await this.collection.collect(scopeOf(envelope), payload.invoice_id, { key: 'finalized', byHand: false });
  }

  /** One charge per step; where none was made nothing else tells that the last step is over. */
  @AfterCommit(dunningStepReached)
  async chargeAgain(payload: PayloadOf<typeof dunningStepReached>, envelope: EventEnvelope): Promise<void> {
    const cause = { key: `dunning:${payload.step}`, byHand: false };
    await this.collection.collect(scopeOf(envelope), payload.invoice_id, cause);
    await this.dunnings.conclude(scopeOf(envelope), payload.invoice_id);
  }

  @AfterCommit(paymentMethodSaved)
  collectByTheNewCard(payload: PayloadOf<typeof paymentMethodSaved>, envelope: EventEnvelope): Promise<void> {
    return this.collection.collectAll(scopeOf(envelope), payload.customer_id, byMethod(payload));
  }

  @AfterCommit(methodOutdated)
  async tryTheNewCard(payload: PayloadOf<typeof methodOutdated>, envelope: EventEnvelope): Promise<void> {
    await this.collection.collect(scopeOf(envelope), payload.invoice_id, byMethod(payload));
  }

  /** An invoice whose page came to nothing may be charged to a saved card again. */
  @AfterCommit(checkoutSettled)
  async collectWithoutThePage(payload: PayloadOf<typeof checkoutSettled>, envelope: EventEnvelope): Promise<void> {
    if (payload.status !== 'expired' && payload.status !== 'failed') return;
    const invoiceId = await this.pages.invoiceOf(scopeOf(envelope), payload.session_id);
    if (!invoiceId) return;
    const refused = await this.collection.collect(scopeOf(envelope), invoiceId, { key: envelope.id, byHand: false });
    if (refused) await this.autoTopUps.notCharged(scopeOf(envelope), invoiceId, refused);
    await this.dunnings.conclude(scopeOf(envelope), invoiceId);
  }

  @AfterCommit(attemptLeftOpen)
  async askTheGateway(payload: PayloadOf<typeof attemptLeftOpen>, envelope: EventEnvelope): Promise<void> {
    await this.collection.carryOn(scopeOf(envelope), payload.attempt_id);
  }

  @AfterCommit(checkoutLapsed)
  closeThePage(payload: PayloadOf<typeof checkoutLapsed>, envelope: EventEnvelope): Promise<void> {
    return this.pages.close(scopeOf(envelope), payload.session_id);
  }
}

/** A method is tried once for having been saved, whoever tells that it may be. */
const byMethod = ({ payment_method_id: id }: { readonly payment_method_id: string }): Cause => ({
  key: `method:${id}`,
  byHand: false,
});

/** Not the envelope itself: rows are made with all that a scope holds. */
const scopeOf = ({ tenantId, environmentId }: EventEnvelope): Scope => ({ tenantId, environmentId });
