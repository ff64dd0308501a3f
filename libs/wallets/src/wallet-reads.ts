import { Decimal } from '@drawdown/billing-core';
import { Problem, SingleRead, SingleReads, type Asker } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql, type RawBuilder } from 'kysely';
import { balanceOf, spendableAt, type WalletBalance } from './balances.js';
import type { Wallet } from './wallet.entity.js';
import { walletView, type WalletRecord, type WalletView } from './wallets.dto.js';

/** A wallet with what it has, as a statement of `walletsShown` answers it. */
export interface WalletRow {
  id: string;
  tenant_id: string;
  environment_id: string;
  customer_id: string;
  name: string | null;
  description: string | null;
  currency: string;
  conversion_rate: string;
  topup_conversion_rate: string;
  status: Wallet['status'];
  allowed_price_types: Wallet['allowedPriceTypes'];
  auto_topup: Wallet['autoTopup'];
  auto_topup_state: Wallet['autoTopupState'];
  alert_settings: Wallet['alertSettings'];
  alert_level: Wallet['alertLevel'];
  metadata: Wallet['metadata'];
  credit_balance: string;
  debt: string;
  created_at: string;
  updated_at: string;
  free: string;
  purchased: string;
}

/** The environment's wallets `w` that fit `where`, with what they have. @param beside more columns of `w`. */
export const walletsShown = <Row extends WalletRow = WalletRow>(
  { environmentId, now }: Asker,
  where: RawBuilder<unknown>,
  beside: RawBuilder<unknown> = sql``,
): RawBuilder<Row> => sql`
  select w.id, w.tenant_id, w.environment_id, w.customer_id, w.name, w.description, w.currency, w.conversion_rate,
         w.topup_conversion_rate, w.status, w.allowed_price_types, w.auto_topup, w.auto_topup_state, w.alert_settings,
         w.alert_level, w.metadata, w.credit_balance, w.debt, w.created_at, w.updated_at, spendable.* ${beside}
  from wallet w cross join lateral (${spendableAt(now)}) spendable
  where w.environment_id = ${environmentId} and ${where}`;

const walletById = new SingleRead(['id'], ({ id }, asker) => walletsShown(asker, sql`w.id = ${id}`));

/** A published customer's, oldest first; one row of nulls when it has none. */
const walletsOfCustomer = new SingleRead(
  ['id', 'externalId'],
  ({ id, externalId }, asker) => sql<WalletRow | { id: null }>`
    select shown.* from customer c left join lateral (${walletsShown(asker, sql`w.customer_id = c.id`)}) shown on true
    where c.environment_id = ${asker.environmentId} and c.status = 'published' and c.id = coalesce(${id}::text, (
      select named.id from customer named
      where named.environment_id = ${asker.environmentId} and named.external_id = ${externalId} and named.status = 'published'))
    order by shown.created_at, shown.id`,
);

/** Reads that show wallets and change nothing: one statement each. */
@Injectable()
export class WalletReads {
  constructor(private readonly reads: SingleReads) {}

  /** @throws Problem 404. */
  async get(id: string): Promise<WalletView> {
    const [row] = (await this.reads.read(walletById, { id })).rows;
    if (!row) throw Problem.notFound('wallet', id);
    return shown(row);
  }

  /** All of a customer's, closed ones too, oldest first. @param name its id, which counts, or its external id. @throws Problem 404. */
  async ofCustomer({ id, externalId }: { id?: string; externalId?: string }): Promise<WalletView[]> {
    const { rows } = await this.reads.read(walletsOfCustomer, { id: id || null, externalId: externalId ?? null });
    if (rows.length === 0) throw Problem.notFound('customer', (id || externalId)!);
    return rows.flatMap((row) => (row.id === null ? [] : shown(row)));
  }
}

const shown = (row: WalletRow): WalletView => walletView(...readWallet(row));

/** A wallet as it was read, to be shown. */
export const readWallet = (row: WalletRow): [wallet: WalletRecord, balance: WalletBalance] => [
  {
    id: row.id,
    tenantId: row.tenant_id,
    environmentId: row.environment_id,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    customerId: row.customer_id,
    name: row.name,
    description: row.description,
    currency: row.currency,
    conversionRate: new Decimal(row.conversion_rate),
    topupConversionRate: new Decimal(row.topup_conversion_rate),
    status: row.status,
    debt: new Decimal(row.debt),
    allowedPriceTypes: row.allowed_price_types,
    autoTopup: row.auto_topup,
    autoTopupState: row.auto_topup_state,
    alertSettings: row.alert_settings,
    alertLevel: row.alert_level,
    metadata: row.metadata,
  },
  balanceOf(row),
];
