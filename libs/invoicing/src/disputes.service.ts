import { canMove, Decimal, text } from '@drawdown/billing-core';
import { disputeCreated, disputeLost, disputeWon, type disputeChanged, type PayloadOf } from '@drawdown/contracts';
import { createdWithin, EventBus, newId, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { Invoice } from './invoice.entity.js';
import { DISPUTE_MOVES, move, type DisputeStage } from './lifecycles.js';
import { PurchaseReversals } from './purchase-reversals.service.js';
import { named, Receivables } from './receivables.service.js';
import { Dispute } from './refund.entity.js';
import type { DisputeQuery } from './refunds.dto.js';
import { returnableMoney } from './returnable-money.js';

type Told = PayloadOf<typeof disputeChanged>;

/**
 * Money that customers take back at their bank. While a dispute is open, what is left of the credits the money bought is
 * set aside; when it is won that returns, when it is lost what was spent of them is the wallet's debt. One that was lost may
 * be won on appeal: then all of it returns.
 */
@Injectable()
export class Disputes {
  constructor(
    private readonly receivables: Receivables,
    private readonly purchases: PurchaseReversals,
    private readonly events: EventBus,
  ) {}

  /** The gateway's word, in any order and any number of times. @throws Problem 404 for money that was never received. */
  async changed(tx: Tx, told: Told): Promise<void> {
    const known = (await this.known(tx, told)) ?? (await this.open(tx, told));
    const invoice = await this.receivables.lock(tx, known.invoiceId);
    const dispute = await tx.em.refreshOrFail(known);
    if (told.stage === 'open' || !canMove(DISPUTE_MOVES, dispute.stage, told.stage)) return;
    await this.close(tx, dispute, told.stage);
    if (told.stage === 'won') await this.won(tx, dispute, invoice);
    else await this.lost(tx, dispute, invoice);
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Dispute> {
    const dispute = await tx.em.findOne(Dispute, { environmentId: tx.scope.environmentId, id });
    if (!dispute) throw Problem.notFound('dispute', id);
    return dispute;
  }

  list(tx: Tx, query: DisputeQuery): Promise<[Dispute[], number]> {
    const { customer_id: customerId, payment_id: paymentId, dispute_status: stage } = query;
    const where = {
      environmentId: tx.scope.environmentId,
      ...createdWithin(query),
      ...(customerId ? { customerId } : {}),
      ...(paymentId ? { paymentId } : {}),
      ...(stage ? { stage } : {}),
    };
    return tx.em.findAndCount(Dispute, where, pageOptions(query));
  }

  private async open(tx: Tx, told: Told): Promise<Dispute> {
    const money = await returnableMoney(tx, { customerId: told.customer_id, currency: told.currency });
    const receipt = money.find((one) => one.gatewayPaymentId === told.gateway_payment_id);
    if (!receipt) throw Problem.notFound('payment', told.gateway_payment_id);
    const invoice = await this.receivables.lock(tx, receipt.invoiceId);
    const known = await this.known(tx, told);
    if (known) return known;
    const id = newId('dispute');
    const amount = new Decimal(told.amount);
    const { credits, aside } = await this.purchases.setAside(tx, invoice, { key: asideKey(id), amount });
    const dispute = tx.em.create(Dispute, {
      id,
      ...tx.scope,
      receiptId: receipt.id,
      paymentId: receipt.paymentId,
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      gatewayDisputeId: told.gateway_dispute_id,
      amount,
      currency: told.currency,
      credits,
      creditsSetAside: aside,
      reason: told.reason,
      stage: 'open',
      closedAt: null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    tx.em.assign(invoice, { disputedAmount: invoice.disputedAmount.plus(amount), updatedAt: tx.now });
    await this.events.publish(tx, disputeCreated, { ...about(dispute, invoice), reason: told.reason });
    return dispute;
  }

  private async won(tx: Tx, dispute: Dispute, invoice: Invoice): Promise<void> {
    await this.purchases.restore(tx, asideKey(dispute.id));
    // Of one that was lost first: what it made the wallet owe, and what purchases since have paid of that.
    await this.purchases.restore(tx, lossKey(dispute.id));
    tx.em.assign(invoice, { disputedAmount: invoice.disputedAmount.minus(dispute.amount), updatedAt: tx.now });
    await this.events.publish(tx, disputeWon, about(dispute, invoice));
  }

  private async lost(tx: Tx, dispute: Dispute, invoice: Invoice): Promise<void> {
    const rest = dispute.credits.minus(dispute.creditsSetAside);
    await this.purchases.loseCredits(tx, invoice, lossKey(dispute.id), rest);
    await this.events.publish(tx, disputeLost, about(dispute, invoice));
  }

  private async close(tx: Tx, dispute: Dispute, stage: DisputeStage): Promise<void> {
    tx.em.assign(dispute, {
      stage: move(DISPUTE_MOVES, dispute.stage, stage),
      closedAt: tx.now,
      updatedAt: tx.now,
    });
  }

  private known(tx: Tx, { gateway_dispute_id: gatewayDisputeId }: Told): Promise<Dispute | null> {
    const of = { environmentId: tx.scope.environmentId, gatewayDisputeId };
    return tx.em.findOne(Dispute, of, { refresh: true });
  }
}

/** Under which credits are set aside; the loss of the others has a key of its own. */
const asideKey = (disputeId: string): string => `dispute:${disputeId}:aside`;
const lossKey = (disputeId: string): string => `dispute:${disputeId}`;

const about = (dispute: Dispute, invoice: Invoice) => ({
  ...named(invoice),
  dispute_id: dispute.id,
  payment_id: dispute.paymentId,
  amount: text(dispute.amount),
});
