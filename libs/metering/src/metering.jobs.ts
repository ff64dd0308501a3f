import type { DueWork } from '@drawdown/contracts';
import { Agenda, Due, type Tx } from '@drawdown/platform';
import { WalletLifecycle } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { HoldSettlement } from './hold-settlement.service.js';
import { LateMatches } from './late-matches.service.js';
import { UsagePeriods } from './usage-periods.service.js';
import { UsageSettlement } from './usage-settlement.service.js';

@Injectable()
export class MeteringJobs {
  constructor(
    private readonly late: LateMatches,
    private readonly settlement: UsageSettlement,
    private readonly periods: UsagePeriods,
    private readonly lifecycle: WalletLifecycle,
    private readonly holds: HoldSettlement,
    private readonly agenda: Agenda,
  ) {}

  /** What the hold kept is free again; a hold that has ended is nothing to do for. */
  @Due('hold.expire')
  async expireHolds(tx: Tx, { customerId }: DueWork): Promise<void> {
    await this.holds.expire(tx, customerId);
  }

  @Due('usage.retry')
  async retry(tx: Tx, work: DueWork): Promise<void> {
    await this.late.retry(tx, work.customerId, work.subjectId);
  }

  @Due('usage.accrue')
  async accrue(tx: Tx, { customerId, subjectId: periodId, dueAt }: DueWork): Promise<void> {
    const { startAt: start } = await this.periods.get(tx, periodId);
    await this.settlement.fallDue(tx, { customerId, periodId, start }, dueAt);
  }

  /**
   * Wallets schedule it one late-usage window after the expiry. It waits while events of a time before the expiry may
   * still come in for a closed period (MEANING "Expiry"), which wallets can't know.
   */
  @Due('lot.write_off')
  async writeOff(tx: Tx, work: DueWork): Promise<void> {
    const lot = await this.lifecycle.lotToWriteOff(tx, work.subjectId);
    if (!lot?.expiresAt) return;
    const until = await this.periods.awaitsUsageUntil(tx, lot.customerId, lot.expiresAt);
    if (until && until > tx.now) return this.agenda.schedule(tx, { ...work, dueAt: until });
    await this.lifecycle.writeOff(tx, lot);
  }
}
