import {
  creditsAdded,
  creditsRestored,
  creditsReturned,
  customerCreated,
  customerUpdated,
  type EventEnvelope,
  itemsChanged,
  periodClosed,
  periodOpened,
  subscriptionCancelled,
  type PayloadOf,
  walletUnfrozen,
  walletUpdated,
} from '@drawdown/contracts';
import { InTransaction, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { LateMatches } from './late-matches.service.js';
import { UsageBurner } from './usage-burner.js';
import { UsagePeriods } from './usage-periods.service.js';
import { UsageSettlement } from './usage-settlement.service.js';

/** What usage does when others speak, always inside their transaction. */
@Injectable()
export class MeteringListener {
  constructor(
    private readonly periods: UsagePeriods,
    private readonly late: LateMatches,
    private readonly burner: UsageBurner,
    private readonly settlement: UsageSettlement,
  ) {}

  @InTransaction(customerCreated)
  async claimWaitingEvents(tx: Tx, customer: PayloadOf<typeof customerCreated>): Promise<void> {
    await this.late.claimFor(tx, customer.customer_id, customer.external_customer_id);
  }

  /** Its external id may be another now. */
  @InTransaction(customerUpdated)
  async claimUnderNewId(tx: Tx, customer: PayloadOf<typeof customerUpdated>): Promise<void> {
    await this.late.claimFor(tx, customer.customer_id, customer.external_customer_id);
  }

  @InTransaction(periodOpened)
  async openPeriod(tx: Tx, opened: PayloadOf<typeof periodOpened>): Promise<void> {
    await this.periods.open(tx, opened);
    await this.late.scheduleRetry(tx, opened.customer_id, opened.period);
    await this.settlement.begin(tx, periodOf(opened));
  }

  /** What begins takes over what goes on from what ended. */
  @InTransaction(itemsChanged)
  async handOver(tx: Tx, changed: PayloadOf<typeof itemsChanged>): Promise<void> {
    const { customer_id: customerId, period_id: periodId } = changed;
    if (!periodId) return;
    await tx.em.flush();
    const { startAt: start } = await this.periods.get(tx, periodId);
    await this.settlement.fallDue(tx, { customerId, periodId, start }, new Date(changed.at));
  }

  @InTransaction(periodClosed)
  async closePeriod(tx: Tx, closed: PayloadOf<typeof periodClosed>): Promise<void> {
    await this.settlement.close(tx, periodOf(closed), new Date(closed.period.end));
    await this.periods.close(tx, closed.period);
  }

  @InTransaction(subscriptionCancelled)
  async closeLastPeriod(tx: Tx, cancelled: PayloadOf<typeof subscriptionCancelled>): Promise<void> {
    if (!cancelled.last_period) return;
    await this.periods.close(tx, cancelled.last_period);
    if (!cancelled.final_invoice) await this.periods.abandon(tx, cancelled.last_period.period_id);
  }

  /** As of the instant from which the credits count: credits dated back pay what was open then. */
  @InTransaction(creditsAdded)
  async payShortfalls(tx: Tx, added: PayloadOf<typeof creditsAdded>): Promise<void> {
    await this.payDown(tx, added, new Date(added.effective_at), added.lot_id);
  }

  @InTransaction(creditsReturned)
  async payShortfallsAgain(tx: Tx, returned: PayloadOf<typeof creditsReturned>): Promise<void> {
    await this.payDown(tx, returned, tx.now, returned.invoice_id);
  }

  @InTransaction(creditsRestored)
  async payShortfallsByTheRestored(tx: Tx, restored: PayloadOf<typeof creditsRestored>): Promise<void> {
    await this.payDown(tx, restored, tx.now, `restored:${restored.reversal_id}`);
  }

  /** Its credits may pay other things now than before. */
  @InTransaction(walletUpdated)
  async payShortfallsByTheChanged(
    tx: Tx,
    wallet: PayloadOf<typeof walletUpdated>,
    { id }: EventEnvelope,
  ): Promise<void> {
    await this.payDown(tx, wallet, tx.now, id);
  }

  @InTransaction(walletUnfrozen)
  async payShortfallsByTheUnfrozen(
    tx: Tx,
    wallet: PayloadOf<typeof walletUnfrozen>,
    { id }: EventEnvelope,
  ): Promise<void> {
    await this.payDown(tx, wallet, tx.now, id);
  }

  private async payDown(
    tx: Tx,
    { customer_id: customerId, currency }: { readonly customer_id: string; readonly currency: string },
    at: Date,
    cause: string,
  ): Promise<void> {
    const levels = await this.settlement.levels(tx, customerId, currency, at);
    const fold = await this.burner.open(tx, [customerId], levels);
    if (levels.length > 0) fold.settle(at);
    fold.coverage.payDown(customerId, currency, at);
    await this.burner.record(tx, fold, { type: 'pay_down', id: cause });
  }
}

const periodOf = ({ customer_id: customerId, period }: PayloadOf<typeof periodClosed>) => ({
  customerId,
  periodId: period.period_id,
  start: new Date(period.start),
});
