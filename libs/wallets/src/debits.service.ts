import { burn, burnOrder, Decimal, emptyCover, ONE, sum, text, type LotState } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { LedgerEntry } from './ledger-entry.entity.js';
import { Lot } from './lot.entity.js';
import type { Wallet } from './wallet.entity.js';
import type { DebitWalletBody } from './wallets.dto.js';
import { WalletWatch } from './wallet-watch.service.js';
import { WalletsService } from './wallets.service.js';

/** Credits taken out by hand. */
@Injectable()
export class DebitsService {
  constructor(
    private readonly wallets: WalletsService,
    private readonly customers: CustomersService,
    private readonly watch: WalletWatch,
  ) {}

  /**
   * Takes credits from the wallet's usable lots in burn order, all or nothing. A body with an idempotency key takes
   * them once. @throws Problem 404, 409 when the wallet is frozen, closed or has too few, or the key named another amount.
   */
  async debit(tx: Tx, walletId: string, body: DebitWalletBody): Promise<Wallet> {
    const { customerId } = await this.wallets.get(tx, walletId);
    await this.customers.lock(tx, [customerId]);
    const causeId = body.idempotency_key ? `debit:${walletId}:${body.idempotency_key}` : newId('debit');
    const credits = new Decimal(body.credits);
    if (!(await this.isBooked(tx, causeId, credits))) {
      const wallet = await this.wallets.get(tx, walletId);
      if (wallet.status !== 'active') throw Problem.state(`wallet ${walletId} is ${wallet.status}`, wallet.status);
      await this.wallets.freeExpired(tx, [customerId]);
      await this.draw(tx, wallet, credits, causeId, body);
      await this.watch.look(tx);
    }
    return this.wallets.get(tx, walletId);
  }

  private async isBooked(tx: Tx, causeId: string, credits: Decimal): Promise<boolean> {
    const entries = await tx.em.find(LedgerEntry, { environmentId: tx.scope.environmentId, causeId });
    if (entries.length === 0) return false;
    if (!sum(entries.map((entry) => entry.credits)).eq(credits.neg())) {
      throw new Problem('idempotency_conflict', 'idempotency_key was used before to debit another amount', {
        field: 'idempotency_key',
      });
    }
    return true;
  }

  private async draw(tx: Tx, wallet: Wallet, credits: Decimal, causeId: string, body: DebitWalletBody): Promise<void> {
    const { draws, cover } = burn(emptyCover(), credits, burnOrder(await this.usableLots(tx, wallet)), ONE);
    if (cover.shortfall.gt(0)) {
      throw new Problem('invalid_state', `wallet ${wallet.id} has ${text(cover.credits)} usable credits`, {
        field: 'credits',
        available: text(cover.credits),
      });
    }
    await this.wallets.post(
      tx,
      draws.map((draw) => ({
        lotId: draw.lotId,
        credits: draw.credits.neg(),
        kind: 'debit',
        cause: { type: 'request', id: causeId },
        key: `${causeId}:${draw.lotId}`,
        note: {
          description: body.description ?? null,
          metadata: body.metadata ?? {},
          referenceType: body.reference_type ?? null,
          referenceId: body.reference_id ?? null,
        },
      })),
    );
  }

  private async usableLots(tx: Tx, wallet: Wallet): Promise<LotState[]> {
    const lots = await tx.em.find(
      Lot,
      {
        environmentId: tx.scope.environmentId,
        walletId: wallet.id,
        remaining: { $gt: new Decimal(0) },
        writtenOffAt: null,
        effectiveAt: { $lte: tx.now },
        $or: [{ expiresAt: null }, { expiresAt: { $gt: tx.now } }],
      },
      { refresh: true },
    );
    return lots.map((lot) => ({
      id: lot.id,
      walletId: lot.walletId,
      priority: lot.priority ?? null,
      effectiveAt: lot.effectiveAt,
      expiresAt: lot.expiresAt ?? null,
      purchased: lot.source === 'purchase',
      createdAt: lot.createdAt,
      remaining: lot.remaining,
      held: lot.held,
      rate: wallet.conversionRate,
    }));
  }
}
