import {
  Problem,
  realTime,
  SETTINGS,
  type Scope,
  type Settings,
  Tenants,
  Transactions,
  type Tx,
} from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Inject, Injectable } from '@nestjs/common';
import { EntityManager } from '@mikro-orm/postgresql';
import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { addressLines } from './invoice-document-text.js';
import { invoiceDocument, type InvoicePaper, type Party } from './invoice-document.js';
import type { InvoiceView } from './invoices.dto.js';
import { InvoicesService } from './invoices.service.js';
import { renderPdf } from './pdf-renderer.js';

const LINK_LIVES_MS = 24 * 3_600_000;

export interface Pdf {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Invoices on paper, and the links under which somebody without a key may read one for a day. */
@Injectable()
export class InvoicePapers {
  constructor(
    private readonly invoices: InvoicesService,
    private readonly subscriptions: SubscriptionsService,
    private readonly tenants: Tenants,
    private readonly transactions: Transactions,
    private readonly em: EntityManager,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Drawn outside the transaction that read it. @throws Problem 404. */
  async pdf(scope: Scope, invoiceId: string): Promise<Pdf> {
    const paper = await this.transactions.run(scope, (tx) => this.paper(tx, invoiceId));
    const name = `${paper.invoice.invoice_number ?? `draft-${invoiceId}`}.pdf`;
    return { name, bytes: await renderPdf(invoiceDocument(paper)) };
  }

  /** @param origin where the caller reached this server. @throws Problem 404. */
  async link(tx: Tx, invoiceId: string, origin: string): Promise<string> {
    await this.invoices.get(tx, invoiceId);
    const { tenantId, environmentId } = tx.scope;
    const token = randomBytes(24).toString('base64url');
    const expiresAt = new Date(realTime().getTime() + LINK_LIVES_MS);
    await sql`
      delete from invoice_link where environment_id = ${environmentId} and invoice_id = ${invoiceId}
        and expires_at <= ${realTime()}`.execute(tx.db);
    await sql`
      insert into invoice_link (hash, tenant_id, environment_id, invoice_id, expires_at)
      values (${hashOf(token)}, ${tenantId}, ${environmentId}, ${invoiceId}, ${expiresAt})`.execute(tx.db);
    return `${(this.settings.PUBLIC_URL ?? origin).replace(/\/$/, '')}/v1/invoice-links/${token}`;
  }

  /** What a link shows. Unknown and expired look the same. @throws Problem 404. */
  async linked(token: string): Promise<Pdf> {
    const found = await sql<{ tenant_id: string; environment_id: string; invoice_id: string }>`
      select tenant_id, environment_id, invoice_id from invoice_link
      where hash = ${hashOf(token)} and expires_at > ${realTime()}`.execute(this.em.fork().getKysely());
    const link = found.rows[0];
    if (!link) throw new Problem('not_found', 'this link is not valid, or not any more');
    return this.pdf({ tenantId: link.tenant_id, environmentId: link.environment_id }, link.invoice_id);
  }

  private async paper(tx: Tx, invoiceId: string): Promise<InvoicePaper> {
    const invoice = await this.invoices.get(tx, invoiceId);
    return { invoice, seller: await this.seller(tx), unitPrices: await this.unitPrices(tx, invoice), now: tx.now };
  }

  private async seller(tx: Tx): Promise<Party> {
    const { name, billingDetails } = await this.tenants.own(tx);
    if (!billingDetails) return { name, lines: [] };
    const { address, email, phone } = billingDetails;
    const lines = addressLines({
      address_line1: address.line1,
      address_line2: address.line2,
      address_city: address.city,
      address_state: address.state,
      address_postal_code: address.postalCode,
      address_country: address.country,
    });
    return { name, lines: [...lines, ...[email, phone].filter((line) => line !== null)] };
  }

  private async unitPrices(tx: Tx, { subscription_id }: InvoiceView): Promise<Map<string, string>> {
    if (!subscription_id) return new Map();
    const items = await this.subscriptions.lineItems(tx, subscription_id);
    return new Map(items.map(({ id, price }) => [id, shownPrice(price)]));
  }
}

/** One unit, or one package; tiers have no one price. */
function shownPrice(price: {
  billing_model: string;
  display_amount: string;
  transform_quantity: { divide_by: number } | null;
}): string {
  if (price.billing_model === 'TIERED') return 'tiered';
  return price.billing_model === 'PACKAGE' && price.transform_quantity
    ? `${price.display_amount} per ${price.transform_quantity.divide_by}`
    : price.display_amount;
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
