import { Decimal, MOST_CREDITS, purchase } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { newId, Problem, type Tx } from '@drawdown/platform';
import { type Wallet, WalletsService } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { CreditPurchases, keyReused } from './credit-purchases.service.js';
import type { TopUpWalletBody } from './top-ups.dto.js';

/** What a top-up brought: credits that are there (their ledger entry), or the invoice to pay for them. */
export type ToppedUp = { readonly wallet: Wallet } & (
  { readonly entryId: string; readonly invoiceId: null } | { readonly entryId: null; readonly invoiceId: string }
);

/** `POST /wallets/{id}/top-up` (MEANING "Credits bought, and unpaid bills"). */
@Injectable()
export class TopUps {
  constructor(
    private readonly customers: CustomersService,
    private readonly wallets: WalletsService,
    private readonly purchases: CreditPurchases,
  ) {}

  /** @throws Problem 400, 404, 409 when the wallet is closed or the key was used for other credits. */
  async topUp(tx: Tx, walletId: string, body: TopUpWalletBody): Promise<ToppedUp> {
    const { customerId } = await this.wallets.get(tx, walletId);
    await this.customers.lock(tx, [customerId]);
    const wallet = await this.wallets.get(tx, walletId);
    if (wallet.status !== 'active') throw Problem.state(`wallet ${wallet.id} is ${wallet.status}`, wallet.status);
    const bought = boughtBy(tx, body, wallet);
    if (body.transaction_reason === 'PURCHASED_CREDIT_INVOICED') {
      const invoice = await this.purchases.order(tx, wallet, bought);
      return { wallet, entryId: null, invoiceId: invoice.id };
    }
    return { wallet, entryId: await this.add(tx, wallet, body, bought), invoiceId: null };
  }

  private async add(tx: Tx, wallet: Wallet, body: TopUpWalletBody, bought: ReturnType<typeof boughtBy>) {
    const reason = body.transaction_reason as 'FREE_CREDIT_GRANT' | 'PURCHASED_CREDIT_DIRECT';
    const source = reason === 'FREE_CREDIT_GRANT' ? 'free' : 'purchase';
    const { lotId, created } = await this.wallets.addLot(tx, wallet, {
      ...bought,
      source,
      reason,
      key: `top-up:${wallet.id}:${bought.requestKey ?? newId('request')}`,
      referenceType: source === 'purchase' ? 'EXTERNAL' : 'REQUEST',
      referenceId: bought.requestKey,
    });
    const { lot, entry } = await this.wallets.lotWithEntry(tx, lotId);
    if (!created && !(lot.granted.eq(bought.credits) && lot.source === source)) throw keyReused();
    return entry.id;
  }
}

/** @throws Problem 400 when the body names neither credits nor money, or credits that would be expired at once. */
function boughtBy(tx: Tx, body: TopUpWalletBody, wallet: Wallet) {
  if (!body.credits_to_add && !body.amount) throw Problem.invalid('credits_to_add', 'or amount is required');
  const expiresAt = body.expiry_date_utc ? new Date(body.expiry_date_utc) : null;
  if (expiresAt && expiresAt <= tx.now) throw Problem.invalid('expiry_date_utc', 'must lie in the future');
  const free = body.transaction_reason === 'FREE_CREDIT_GRANT';
  const decimal = (value?: string | null) => (value ? new Decimal(value) : null);
  const by = { credits: decimal(body.credits_to_add), money: decimal(body.amount) };
  const bought = purchase(by, free ? wallet.conversionRate : wallet.topupConversionRate);
  if (bought.credits.gt(MOST_CREDITS)) throw Problem.invalid('amount', `buys more than ${MOST_CREDITS} credits`);
  return {
    ...bought,
    expiresAt,
    priority: body.priority ?? null,
    description: body.description ?? null,
    metadata: body.metadata ?? {},
    requestKey: body.idempotency_key ?? null,
  };
}
