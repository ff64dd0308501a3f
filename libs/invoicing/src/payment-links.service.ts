import { Problem, SETTINGS, type Scope, type Settings, Transactions, type Tx } from '@drawdown/platform';
import { EntityManager } from '@mikro-orm/postgresql';
import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { CheckoutDesk } from './checkout-desk.js';
import { HostedPages } from './hosted-pages.service.js';
import { Invoice } from './invoice.entity.js';
import { CheckoutSession } from './payment.entity.js';
import { isPaid } from './receivables.service.js';

/**
 * The link on an invoice and its PDF. It never expires: a page at the gateway, which does, is opened when somebody
 * presses the button behind it, so that looking at it (mail programs do) keeps no card from being charged.
 */
@Injectable()
export class PaymentLinks {
  constructor(
    private readonly desk: CheckoutDesk,
    private readonly pages: HostedPages,
    private readonly transactions: Transactions,
    private readonly em: EntityManager,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Null when nothing is to be paid. */
  of(invoice: Pick<Invoice, 'status' | 'paidAt' | 'paymentToken'>): string | null {
    if (invoice.status !== 'FINALIZED' || isPaid(invoice) || !invoice.paymentToken) return null;
    return this.addressOf(invoice.paymentToken);
  }

  /** @throws Problem 404 for what is no link. */
  async invoice(token: string): Promise<{ scope: Scope; invoice: Invoice }> {
    const found = await sql<{ id: string; tenant_id: string; environment_id: string }>`
      select id, tenant_id, environment_id from invoice where payment_token = ${token}`.execute(
      this.em.fork().getKysely(),
    );
    const row = found.rows[0];
    if (!row) throw new Problem('not_found', 'this link is not valid');
    const scope = { tenantId: row.tenant_id, environmentId: row.environment_id };
    const invoice = await this.transactions.run(scope, (tx) =>
      tx.em.findOneOrFail(Invoice, { environmentId: scope.environmentId, id: row.id }),
    );
    return { scope, invoice };
  }

  /**
   * The address of the page on which it is paid, opened if none is.
   * @throws Problem 409 when it is not to be paid now, 503 when the gateway can't be reached.
   */
  async open(token: string): Promise<string> {
    const { scope, invoice } = await this.invoice(token);
    const back = `${this.addressOf(token)}/done`;
    const body = { mode: 'invoice' as const, invoice_id: invoice.id, success_url: back, cancel_url: back };
    const { id } = await this.transactions.run(scope, (tx) => this.desk.begin(tx, body));
    const { url } = await this.pages.open(scope, id);
    return url!;
  }

  /** The customer came back: what the gateway says of its page is settled as if the webhook had said it. */
  async returned(token: string): Promise<Invoice> {
    const { scope, invoice } = await this.invoice(token);
    const session = await this.transactions.run(scope, (tx) => latestPageOf(tx, invoice.id));
    if (session) await this.pages.read(scope, session.id);
    return (await this.invoice(token)).invoice;
  }

  private addressOf(token: string): string {
    const origin = this.settings.PUBLIC_URL ?? `http://127.0.0.1:${this.settings.PORT}`;
    return `${origin.replace(/\/$/, '')}/v1/pay/${token}`;
  }
}

const latestPageOf = (tx: Tx, invoiceId: string): Promise<CheckoutSession | null> =>
  tx.em.findOne(
    CheckoutSession,
    { environmentId: tx.scope.environmentId, invoiceId },
    { orderBy: { createdAt: 'desc', id: 'desc' } },
  );
