import {
  type ChargeOutcome,
  type ChargeRequest,
  type DueWork,
  attemptLeftOpen,
  PAYMENT_GATEWAY,
  type PaymentGateway,
} from '@drawdown/contracts';
import { EventBus, type Scope, Transactions, type Tx } from '@drawdown/platform';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ChargeDesk, type Cause, type Refused } from './charge-desk.js';
import { ATTEMPT_MOVES, isOpen, move } from './lifecycles.js';
import { PaymentAttempt } from './payment.entity.js';
import { Receivables } from './receivables.service.js';
import { Settlement } from './settlement.service.js';

/**
 * Charges saved cards: the attempt is committed, then sent, then settled, each in a transaction of its own and the call
 * in none. Whatever breaks in between leaves an open attempt, which blocks every other charge of the invoice and is
 * scheduled to be asked about; only the gateway's word closes it.
 */
@Injectable()
export class Collection {
  private readonly log = new Logger(Collection.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly desk: ChargeDesk,
    private readonly settlement: Settlement,
    private readonly receivables: Receivables,
    private readonly events: EventBus,
    @Inject(PAYMENT_GATEWAY) private readonly gateway: PaymentGateway,
  ) {}

  /**
   * Collects an invoice once per cause, if there is something to collect and a card to charge. An attempt left open by
   * another cause is brought on first; if that one was declined, this cause gets its own.
   * @returns why no attempt was made for it; null when one was.
   */
  async collect(scope: Scope, invoiceId: string, cause: Cause): Promise<Refused | null> {
    for (;;) {
      const begun = await this.transactions.run(scope, (tx) => this.desk.begin(tx, invoiceId, cause));
      if ('refused' in begun) {
        this.log.debug(`invoice ${invoiceId} is not charged: ${begun.refused}`);
        return begun;
      }
      const attempt = await this.carryOn(scope, begun.attemptId);
      if (isOpen(attempt) || attempt.cause === cause.key) return null;
    }
  }

  /** Collects what a customer's open invoices still owe, oldest first. */
  async collectAll(scope: Scope, customerId: string, cause: Cause): Promise<void> {
    const unpaid = await this.transactions.run(scope, (tx) => this.receivables.unpaidOf(tx, customerId));
    for (const { id } of unpaid) await this.collect(scope, id, cause);
  }

  /**
   * Brings an attempt on: sends one that surely was not sent, asks the gateway about one that may have been. Does
   * nothing about a settled one, so it may be called again and again.
   */
  async carryOn(scope: Scope, attemptId: string): Promise<PaymentAttempt> {
    const attempt = await this.read(scope, attemptId);
    if (!isOpen(attempt)) return attempt;
    if (attempt.state !== 'created') await this.settleBy(scope, attempt.request, () => this.resolve(attempt.request));
    else if (await this.claim(scope, attemptId)) {
      await this.settleBy(scope, attempt.request, () => this.gateway.charge(attempt.request));
    }
    return this.read(scope, attemptId);
  }

  /** Due work `payment.retry`: asking is a network call, so it waits for the commit. */
  async fellDue(tx: Tx, work: DueWork): Promise<void> {
    const attempt = await tx.em.findOne(PaymentAttempt, { environmentId: tx.scope.environmentId, id: work.subjectId });
    if (!attempt || !isOpen(attempt)) return;
    await this.events.publish(tx, attemptLeftOpen, {
      attempt_id: attempt.id,
      customer_id: attempt.customerId,
      invoice_id: attempt.invoiceId,
    });
  }

  /** What became of it; what surely never arrived is sent again under the same id, which can't charge twice. */
  private async resolve(request: ChargeRequest): Promise<ChargeOutcome> {
    const found = await this.gateway.resolve(request);
    return found.status === 'none' ? this.gateway.charge(request) : found;
  }

  private async settleBy(scope: Scope, request: ChargeRequest, ask: () => Promise<ChargeOutcome>): Promise<void> {
    let outcome: ChargeOutcome;
    try {
      outcome = await ask();
    } catch (error) {
      const { message } = error as Error;
      this.log.warn(`the outcome of attempt ${request.attemptId} is unknown: ${message}`);
      await this.transactions.run(scope, (tx) => this.settlement.attemptUnanswered(tx, request.attemptId, message));
      return;
    }
    await this.transactions.run(scope, (tx) => this.settlement.attemptSettled(tx, request.attemptId, outcome));
  }

  /** Committed before the call: one of several workers gets to send. */
  private async claim(scope: Scope, attemptId: string): Promise<boolean> {
    return this.transactions.run(scope, async (tx) => {
      const known = await tx.em.findOneOrFail(PaymentAttempt, { environmentId: scope.environmentId, id: attemptId });
      await this.receivables.lock(tx, known.invoiceId);
      await tx.em.refresh(known);
      if (known.state !== 'created') return false;
      tx.em.assign(known, { state: move(ATTEMPT_MOVES, known.state, 'sent'), sentAt: tx.now, updatedAt: tx.now });
      return true;
    });
  }

  private read(scope: Scope, attemptId: string): Promise<PaymentAttempt> {
    return this.transactions.run(scope, (tx) =>
      tx.em.findOneOrFail(PaymentAttempt, { environmentId: scope.environmentId, id: attemptId }),
    );
  }
}
