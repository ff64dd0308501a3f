import { dunningSchedule } from '@drawdown/billing-core';
import {
  type DueWork,
  dunningExhausted,
  dunningHealed,
  dunningStarted,
  dunningStepReached,
  dunningWithdrawn,
} from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import { Agenda, EventBus, newId, Problem, type Scope, Transactions, type Tx } from '@drawdown/platform';
import { isRunning, Pauses, SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { Dunning } from './dunning.entity.js';
import { DunningPolicies } from './dunning-policy.service.js';
import type { Invoice } from './invoice.entity.js';
import { DUNNING_MOVES, type DunningState, move } from './lifecycles.js';
import { hasOpenPayment, isPaid, named, Receivables } from './receivables.service.js';

/**
 * Asks again for what was declined or is overdue: one row per invoice, its instants frozen when it begins, one charge per
 * instant through the one money path. Paying heals it, by whatever way the money comes; after the last instant the
 * subscription stays past due, ends or rests, as the policy says.
 */
@Injectable()
export class Dunnings {
  constructor(
    private readonly receivables: Receivables,
    private readonly policies: DunningPolicies,
    private readonly customers: CustomersService,
    private readonly subscriptions: SubscriptionsService,
    private readonly pauses: Pauses,
    private readonly transactions: Transactions,
    private readonly events: EventBus,
    private readonly agenda: Agenda,
  ) {}

  /** A payment was declined: dunning begins from now, or its last step is over. */
  async declined(tx: Tx, invoiceId: string): Promise<void> {
    const invoice = await this.receivables.lock(tx, invoiceId);
    const dunning = await this.of(tx, invoiceId);
    if (dunning) await this.concludeWhenOver(tx, dunning, invoice);
    else await this.begin(tx, invoice, tx.now);
  }

  /** The due date has passed: dunning begins from it, where no decline has begun it before. */
  async fellDue(tx: Tx, invoiceId: string): Promise<void> {
    const invoice = await this.receivables.lock(tx, invoiceId);
    if (!(await this.of(tx, invoiceId))) await this.begin(tx, invoice, invoice.dueDate ?? tx.now);
  }

  /** Due work `dunning.step`. The charge is a network call, so it waits for the commit. */
  async step(tx: Tx, work: DueWork): Promise<void> {
    const dunning = await tx.em.findOneOrFail(Dunning, {
      environmentId: tx.scope.environmentId,
      id: work.subjectId,
    });
    const invoice = await this.receivables.lock(tx, dunning.invoiceId);
    if (dunning.state !== 'running' || !isOwed(invoice)) return;
    dunning.stepsTaken += 1;
    dunning.updatedAt = tx.now;
    await this.scheduleNext(tx, dunning);
    await this.events.publish(tx, dunningStepReached, {
      ...told(dunning, invoice),
      step: dunning.stepsTaken,
      steps: dunning.steps.length,
    });
  }

  /** After a step's charge: where nothing could be charged no decline tells that the last step is over. */
  conclude({ tenantId, environmentId }: Scope, invoiceId: string): Promise<void> {
    return this.transactions.run({ tenantId, environmentId }, async (tx) => {
      const invoice = await this.receivables.lock(tx, invoiceId);
      const dunning = await this.of(tx, invoiceId);
      if (dunning) await this.concludeWhenOver(tx, dunning, invoice);
    });
  }

  /** The invoice is paid, whoever paid it how. A pause that dunning has made ends with the last debt. */
  async healed(tx: Tx, invoiceId: string, overdueRemaining: number): Promise<void> {
    const dunning = await this.of(tx, invoiceId);
    if (!dunning || (dunning.state !== 'running' && dunning.state !== 'exhausted')) return;
    const invoice = await this.receivables.lock(tx, invoiceId);
    await this.end(tx, dunning, 'healed');
    await this.events.publish(tx, dunningHealed, told(dunning, invoice));
    if (overdueRemaining === 0) await this.resumeWhatItPaused(tx, invoice);
  }

  /** The invoice is void. */
  async withdrawn(tx: Tx, invoiceId: string): Promise<void> {
    const dunning = await this.of(tx, invoiceId);
    if (dunning?.state !== 'running') return;
    const invoice = await this.receivables.lock(tx, invoiceId);
    await this.end(tx, dunning, 'withdrawn');
    await this.events.publish(tx, dunningWithdrawn, told(dunning, invoice));
  }

  /** @throws Problem 404 for an unknown invoice, or one that was never dunned. */
  async get(tx: Tx, invoiceId: string): Promise<Dunning> {
    await this.receivables.get(tx, invoiceId);
    const dunning = await this.of(tx, invoiceId);
    if (!dunning) throw Problem.notFound('dunning of invoice', invoiceId);
    return dunning;
  }

  /** Credits that were ordered and not paid are no debt; a first payment that fails ends its subscription in time. */
  private async begin(tx: Tx, invoice: Invoice, from: Date): Promise<void> {
    if (invoice.type === 'CREDIT' || !isOwed(invoice) || (await this.isFirstPayment(tx, invoice))) return;
    const { retryDays, ending } = await this.policies.get(tx);
    const { timezone } = await this.customers.get(tx, invoice.customerId);
    const dunning = tx.em.create(Dunning, {
      id: newId('dun'),
      ...tx.scope,
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      subscriptionId: invoice.subscriptionId ?? null,
      state: 'running',
      steps: dunningSchedule(retryDays, from, timezone).map((at) => at.toISOString()),
      stepsTaken: 0,
      ending,
      pauseId: null,
      endedAt: null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await this.events.publish(tx, dunningStarted, { ...told(dunning, invoice), steps: dunning.steps });
    await this.scheduleNext(tx, dunning);
  }

  private async isFirstPayment(tx: Tx, { subscriptionId }: Invoice): Promise<boolean> {
    return subscriptionId ? (await this.subscriptions.get(tx, subscriptionId)).status === 'incomplete' : false;
  }

  private async scheduleNext(tx: Tx, dunning: Dunning): Promise<void> {
    const next = dunning.steps[dunning.stepsTaken];
    if (!next) return;
    const { customerId, id: subjectId } = dunning;
    await this.agenda.schedule(tx, { kind: 'dunning.step', customerId, subjectId, dueAt: new Date(next) });
  }

  /** While a payment is open it may still bring the money: what becomes of it is asked when it is known. */
  private async concludeWhenOver(tx: Tx, dunning: Dunning, invoice: Invoice): Promise<void> {
    if (dunning.state !== 'running' || dunning.stepsTaken < dunning.steps.length || !isOwed(invoice)) return;
    if (await hasOpenPayment(tx, invoice)) return;
    await this.end(tx, dunning, 'exhausted');
    await this.events.publish(tx, dunningExhausted, { ...told(dunning, invoice), ending: dunning.ending });
    await this.applyEnding(tx, dunning);
  }

  private async applyEnding(tx: Tx, dunning: Dunning): Promise<void> {
    const { subscriptionId, ending } = dunning;
    if (!subscriptionId || ending === 'keep') return;
    const { status } = await this.subscriptions.get(tx, subscriptionId);
    if (!isRunning(status)) return;
    if (ending === 'cancel') {
      await this.subscriptions.cancel(tx, subscriptionId, { type: 'immediate', finalInvoice: true, reason: REASON });
      return;
    }
    const planned = (await this.pauses.of(tx, subscriptionId)).some((pause) => pause.status === 'scheduled');
    if (planned) await this.pauses.resume(tx, subscriptionId, {});
    const pause = await this.pauses.pause(tx, subscriptionId, { pause_mode: 'immediate', reason: REASON });
    dunning.pauseId = pause.id;
  }

  /** Several invoices may have been dunned; whichever has paused the subscription, the last payment resumes it. */
  private async resumeWhatItPaused(tx: Tx, { subscriptionId }: Invoice): Promise<void> {
    if (!subscriptionId) return;
    const of = { environmentId: tx.scope.environmentId, subscriptionId };
    const made = (await tx.em.find(Dunning, { ...of, pauseId: { $ne: null } })).map(({ pauseId }) => pauseId);
    const resting = (await this.pauses.of(tx, subscriptionId)).find(({ status }) => status === 'active');
    if (resting && made.includes(resting.id)) await this.pauses.resume(tx, subscriptionId, {});
  }

  private async end(tx: Tx, dunning: Dunning, state: DunningState): Promise<void> {
    tx.em.assign(dunning, {
      state: move(DUNNING_MOVES, dunning.state, state),
      endedAt: tx.now,
      updatedAt: tx.now,
    });
    await this.agenda.cancel(tx, 'dunning.step', dunning.id);
  }

  private of(tx: Tx, invoiceId: string): Promise<Dunning | null> {
    return tx.em.findOne(Dunning, { environmentId: tx.scope.environmentId, invoiceId }, { refresh: true });
  }
}

/** What a subscription says it ended, or rests, for. */
const REASON = 'unpaid';

const isOwed = (invoice: Invoice): boolean => invoice.status === 'FINALIZED' && !isPaid(invoice);

const told = (dunning: Dunning, invoice: Invoice) => ({ ...named(invoice), dunning_id: dunning.id });
