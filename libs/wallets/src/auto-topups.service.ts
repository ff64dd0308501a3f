import { backOffEnd, type Decimal, text, type TopUpRefusal } from '@drawdown/billing-core';
import { autoTopUpDeclined, autoTopUpOrdered, autoTopUpStopped } from '@drawdown/contracts';
import { EventBus, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { type AutoTopupState, READY, stateOf } from './auto-topup.js';
import { named, type Wallet } from './wallet.entity.js';
import { WalletWatch } from './wallet-watch.service.js';

/**
 * How automatic top-ups stand, as their wallets show it. That one is due is told by `WalletWatch`; invoicing decides,
 * orders and charges, and tells here what became of it. Callers hold the customer's lock.
 */
@Injectable()
export class AutoTopups {
  constructor(
    private readonly watch: WalletWatch,
    private readonly events: EventBus,
  ) {}

  /** It is due and does not buy now. What is being charged, or has stopped, is not changed by that. */
  async waits(tx: Tx, wallet: Wallet, reason: TopUpRefusal, retryAt: Date | null): Promise<void> {
    if (reason === 'in_progress' || reason === 'stopped_after_declines') return;
    await this.set(tx, wallet, { status: 'waiting', reason, next_attempt_at: retryAt?.toISOString() ?? null });
  }

  /** The saved card is charged for an invoice, `retry`: for the one that was declined before. */
  async ordered(tx: Tx, wallet: Wallet, order: { invoiceId: string; credits: Decimal; retry: boolean }): Promise<void> {
    await this.set(tx, wallet, {
      status: 'in_progress',
      reason: null,
      next_attempt_at: null,
      last_attempt_at: tx.now.toISOString(),
      invoice_id: order.invoiceId,
    });
    await this.events.publish(tx, autoTopUpOrdered, {
      ...named(wallet),
      invoice_id: order.invoiceId,
      credits: text(order.credits),
      retry: order.retry,
    });
  }

  /** It could not be charged: backs off, and after so many failures in a row stops. */
  async failed(tx: Tx, wallet: Wallet, failure: string): Promise<void> {
    const state = stateOf(wallet);
    const declinedAt = [...state.declined_at, tx.now.toISOString()];
    const stopped = declinedAt.length >= (wallet.autoTopup?.stop_after_declines ?? 1);
    const next = stopped ? null : backOffEnd(declinedAt.map((at) => new Date(at)))!.toISOString();
    await this.set(tx, wallet, {
      status: stopped ? 'stopped' : 'waiting',
      reason: stopped ? null : 'backing_off',
      next_attempt_at: next,
      declined_at: declinedAt,
      last_failure: failure,
      stopped_at: stopped ? tx.now.toISOString() : null,
    });
    this.watch.mark(tx, [wallet.id]);
    const told = { ...named(wallet), invoice_id: state.invoice_id!, failures: declinedAt.length };
    await this.events.publish(tx, autoTopUpDeclined, { ...told, reason: failure, next_attempt_at: next });
    if (stopped) await this.events.publish(tx, autoTopUpStopped, told);
  }

  /** The credits came. */
  async bought(tx: Tx, wallet: Wallet): Promise<void> {
    const { last_attempt_at } = stateOf(wallet);
    await this.set(tx, wallet, { ...READY, last_attempt_at });
    this.watch.mark(tx, [wallet.id]);
  }

  /** What was ordered is not wanted any more. Failures in a row stay what they are. */
  async withdrawn(tx: Tx, wallet: Wallet): Promise<void> {
    const { status, stopped_at } = stateOf(wallet);
    const stays = status === 'stopped' ? { status, stopped_at } : ({ status: 'ready' } as const);
    await this.set(tx, wallet, { ...stays, reason: null, next_attempt_at: null, invoice_id: null });
    this.watch.mark(tx, [wallet.id]);
  }

  /** Flushed at once: wallets are read anew wherever they are locked. */
  private async set(tx: Tx, wallet: Wallet, changes: Partial<AutoTopupState>): Promise<void> {
    tx.em.assign(wallet, { autoTopupState: { ...stateOf(wallet), ...changes }, updatedAt: tx.now });
    await tx.em.flush();
  }
}
