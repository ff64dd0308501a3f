import { Decimal } from '@drawdown/billing-core';
import { customerDeleted, grantDue, type PayloadOf } from '@drawdown/contracts';
import { InTransaction, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { Wallet } from './wallet.entity.js';
import { WalletsService } from './wallets.service.js';

@Injectable()
export class WalletsListener {
  constructor(private readonly wallets: WalletsService) {}

  /** One application gives one lot, effective from its scheduled instant whenever this runs. */
  @InTransaction(grantDue)
  async giveGrant(tx: Tx, grant: PayloadOf<typeof grantDue>): Promise<void> {
    const wallet = await this.walletFor(tx, grant);
    await this.wallets.addLot(tx, {
      walletId: wallet.id,
      credits: new Decimal(grant.credits),
      source: 'grant',
      priority: grant.priority,
      effectiveAt: new Date(grant.effective_at),
      expiresAt: grant.expires_at === null ? null : new Date(grant.expires_at),
      key: `grant:${grant.application_id}`,
      description: grant.grant_name,
    });
  }

  /** A customer with open wallets can't be deleted: throws, and with it the deletion. */
  @InTransaction(customerDeleted)
  async refuseDeletion(tx: Tx, customer: PayloadOf<typeof customerDeleted>): Promise<void> {
    const wallets = await this.wallets.ofCustomer(tx, customer.customer_id);
    const open = wallets.find((wallet) => wallet.status === 'active');
    if (open) throw Problem.state(`customer ${customer.customer_id} has an open wallet, ${open.id}`, open.status);
  }

  /** MEANING "Grants": the customer's oldest active wallet of the subscription's currency, else one is opened. */
  private async walletFor(tx: Tx, grant: PayloadOf<typeof grantDue>): Promise<Wallet> {
    const wallets = await this.wallets.ofCustomer(tx, grant.customer_id);
    const same = wallets.filter((wallet) => wallet.currency === grant.currency);
    const oldest = same.find((wallet) => wallet.status === 'active');
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
