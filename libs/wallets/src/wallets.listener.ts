import { Decimal } from '@drawdown/billing-core';
import {
  customerDeleted,
  grantDue,
  type PayloadOf,
  subscriptionActivated,
  subscriptionCancelled,
} from '@drawdown/contracts';
import { InTransaction, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { Wallet } from './wallet.entity.js';
import { WalletWatch } from './wallet-watch.service.js';
import { WalletsService } from './wallets.service.js';

@Injectable()
export class WalletsListener {
  constructor(
    private readonly wallets: WalletsService,
    private readonly watch: WalletWatch,
  ) {}

  /** One application gives one lot, effective from its scheduled instant whenever this runs. */
  @InTransaction(grantDue)
  async giveGrant(tx: Tx, grant: PayloadOf<typeof grantDue>): Promise<void> {
    const wallet = await this.walletFor(tx, grant);
    await this.wallets.addLot(tx, wallet, {
      credits: new Decimal(grant.credits),
      source: 'grant',
      priority: grant.priority,
      effectiveAt: new Date(grant.effective_at),
      expiresAt: grant.expires_at === null ? null : new Date(grant.expires_at),
      key: `grant:${grant.application_id}`,
      description: grant.grant_name,
    });
  }

  /** In a trial nothing is bought: after it what was due is asked again. */
  @InTransaction(subscriptionActivated)
  lookAfterTheTrial(tx: Tx, { customer_id: customerId }: PayloadOf<typeof subscriptionActivated>): Promise<void> {
    return this.lookAtAll(tx, customerId);
  }

  @InTransaction(subscriptionCancelled)
  lookAfterTheEnd(tx: Tx, { customer_id: customerId }: PayloadOf<typeof subscriptionCancelled>): Promise<void> {
    return this.lookAtAll(tx, customerId);
  }

  /** A customer with open wallets can't be deleted: throws, and with it the deletion. */
  @InTransaction(customerDeleted)
  async refuseDeletion(tx: Tx, customer: PayloadOf<typeof customerDeleted>): Promise<void> {
    const wallets = await this.wallets.ofCustomer(tx, customer.customer_id);
    const open = wallets.find((wallet) => wallet.status !== 'closed');
    if (open) throw Problem.state(`customer ${customer.customer_id} has an open wallet, ${open.id}`, open.status);
  }

  private async lookAtAll(tx: Tx, customerId: string): Promise<void> {
    this.watch.mark(tx, await this.wallets.watchedOf(tx, customerId));
  }

  /**
   * MEANING "Grants": the customer's oldest active wallet of the subscription's currency, else one is opened; but a
   * frozen one keeps what is granted, or freezing would open another.
   */
  private async walletFor(tx: Tx, grant: PayloadOf<typeof grantDue>): Promise<Wallet> {
    const wallets = await this.wallets.ofCustomer(tx, grant.customer_id);
    const same = wallets.filter((wallet) => wallet.currency === grant.currency);
    const oldest = same.find(({ status }) => status === 'active') ?? same.find(({ status }) => status === 'frozen');
    if (oldest) return oldest;
    return this.wallets.open(tx, {
      customerId: grant.customer_id,
      currency: grant.currency,
      conversionRate: same[0]?.conversionRate ?? new Decimal(grant.conversion_rate ?? 1),
      topupConversionRate: grant.topup_conversion_rate === null ? null : new Decimal(grant.topup_conversion_rate),
      openedByGrant: true,
    });
  }
}
