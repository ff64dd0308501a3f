import { startSandbox, type RunningSandbox } from '../../../apps/stripe-sandbox/src/sandbox.js';
import {
  chargeSettled,
  checkoutSettled,
  dueWorkOrder,
  PAYMENT_GATEWAY,
  paymentMethodRemoved,
  paymentMethodSaved,
  SAVED_METHODS,
  type ChargeRequest,
  type CheckoutRequest,
  type PaymentGateway,
  type SavedMethods,
} from '@drawdown/contracts';
import { Customer, CustomersModule, CustomersService } from '@drawdown/customers';
import {
  Bootstrap,
  Due,
  ErrorFilter,
  fastifyAdapter,
  InTransaction,
  newId,
  PlatformModule,
  readSettings,
  registerRequestHooks,
  Transactions,
  type Scope,
  type Tx,
} from '@drawdown/platform';
import {
  PaymentMethod,
  Reconciliation,
  StripeCheckout,
  StripeCustomer,
  StripeEvent,
  StripeInbox,
  StripeModule,
  WebhookEndpoints,
} from '@drawdown/stripe';
import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { sql } from 'kysely';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { migrations } from '../../../migrations/index.js';
import { atEndOfFile } from '../../support/closing.js';

const KEY = 'a-key-for-the-stripe-tests';

/** Stands where invoicing will: hears what the gateway tells, inside its transaction, and can refuse it. */
@Injectable()
export class Listener {
  heard: { event: string; payload: Record<string, unknown> }[] = [];
  /** Thrown by the next so many events, after they were written down. */
  failures = 0;

  @InTransaction(chargeSettled)
  charge(tx: Tx, payload: object): Promise<void> {
    return this.hear(tx, 'charge', payload);
  }

  @InTransaction(checkoutSettled)
  checkout(tx: Tx, payload: object): Promise<void> {
    return this.hear(tx, 'checkout', payload);
  }

  @InTransaction(paymentMethodSaved)
  saved(tx: Tx, payload: object): Promise<void> {
    return this.hear(tx, 'saved', payload);
  }

  @InTransaction(paymentMethodRemoved)
  removed(tx: Tx, payload: object): Promise<void> {
    return this.hear(tx, 'removed', payload);
  }

  private async hear(tx: Tx, event: string, payload: object): Promise<void> {
    if (this.failures-- > 0) throw new Error('refused by the listener');
    tx.afterCommit(() => void this.heard.push({ event, payload: { ...payload } }));
  }
}

@Injectable()
class NoDueWork {}
for (const kind of dueWorkOrder) {
  Object.defineProperty(NoDueWork.prototype, kind, { value: async () => {} });
  Due(kind)(NoDueWork.prototype, kind, Object.getOwnPropertyDescriptor(NoDueWork.prototype, kind)!);
}

@Module({ providers: [Listener, NoDueWork] })
class ListenerModule {}

/** The stripe module on its own database and its own sandbox. With role `api` nothing is handled but on demand. */
export class StripeWorld {
  private stopped = false;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly sandbox: RunningSandbox,
    readonly scope: Scope,
    readonly production: Scope,
    private readonly dir: string,
  ) {}

  static async start({
    role = 'api',
    webhooks = true,
    secretKey = 'sk_test_sandbox',
  }: { role?: 'api' | 'all'; webhooks?: boolean; secretKey?: string } = {}) {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drawdown-stripe-'));
    const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, controlPort: 0, dir });
    const settings = readSettings({
      LOG_LEVEL: 'silent',
      BOOTSTRAP_API_KEY: KEY,
      ROLE: role,
      DATABASE_POOL_SIZE: '8',
    });
    const entities = [Customer, PaymentMethod, StripeCheckout, StripeCustomer, StripeEvent];
    const module = await Test.createTestingModule({
      imports: [
        PlatformModule.forRoot(settings, { clientUrl: process.env.TEST_DATABASE!, entities, migrations }),
        CustomersModule,
        StripeModule.forRoot({
          secretKey,
          apiBase: sandbox.url,
          webhookSecrets: [],
          webhookBase: null,
        }),
        ListenerModule,
      ],
    }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(fastifyAdapter(), {
      rawBody: true,
      logger: process.env.LOG ? ['error', 'warn'] : false,
    });
    app.setGlobalPrefix('v1', { exclude: ['health', 'ready'] });
    app.useGlobalFilters(new ErrorFilter(() => false));
    registerRequestHooks(app);
    await app.listen(0, '127.0.0.1');
    await app.get(Bootstrap).ensureTenant();
    const db = app.get(MikroORM).em.fork().getKysely();
    const found = await sql<{ tenant_id: string; id: string }>`
      select tenant_id, id from environment order by type`.execute(db);
    const [development, production] = found.rows.map((row) => ({ tenantId: row.tenant_id, environmentId: row.id }));
    const world = new StripeWorld(app, sandbox, development!, production!, dir);
    atEndOfFile(() => world.stop());
    if (webhooks) await world.endpoints.registerAt(await app.getUrl());
    return world;
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await this.app.close();
    await this.sandbox.close();
    await fs.rm(this.dir, { recursive: true, force: true });
  }

  get gateway(): PaymentGateway {
    return this.app.get(PAYMENT_GATEWAY);
  }

  get endpoints(): WebhookEndpoints {
    return this.app.get(WebhookEndpoints, { strict: false });
  }

  get methods(): SavedMethods<Tx> {
    return this.app.get(SAVED_METHODS);
  }

  get inbox(): StripeInbox {
    return this.app.get(StripeInbox, { strict: false });
  }

  get reconciliation(): Reconciliation {
    return this.app.get(Reconciliation, { strict: false });
  }

  get listener(): Listener {
    return this.app.get(Listener, { strict: false });
  }

  run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.app.get(Transactions).run(this.scope, work);
  }

  api(method: 'get' | 'post', route: string) {
    return request(this.app.getHttpServer())[method](`/v1${route}`).set('x-api-key', KEY);
  }

  /** What was committed, by kind, since the last look; each with the fields asked for. */
  heard(event: string): Record<string, unknown>[] {
    return this.listener.heard.filter((one) => one.event === event).map((one) => one.payload);
  }

  async rows<T>(table: string): Promise<T[]> {
    const found = await sql<T>`select * from ${sql.table(table)}`.execute(this.app.get(MikroORM).em.fork().getKysely());
    return found.rows;
  }

  /** Forgets the pauses between tries. */
  async hurry(): Promise<void> {
    await sql`update stripe_event set next_attempt_at = now()`.execute(this.app.get(MikroORM).em.fork().getKysely());
  }

  /** Waits for the sandbox to have sent everything, then handles what came. */
  async settle(): Promise<void> {
    await this.control('/webhooks/drain', {});
    await this.inbox.handleDue();
  }

  async customer(scope: Scope = this.scope): Promise<string> {
    const external_id = newId('ext');
    const create = async (tx: Tx) => (await this.app.get(CustomersService).create(tx, { external_id, name: 'Ada' })).id;
    return this.app.get(Transactions).run(scope, create);
  }

  page(customerId: string, fields: Partial<CheckoutRequest> = {}): CheckoutRequest {
    return {
      ...this.scope,
      sessionId: newId('sess'),
      mode: 'setup',
      customerId,
      customerName: 'Ada',
      customerEmail: null,
      payment: null,
      successUrl: 'https://example.com/done',
      cancelUrl: 'https://example.com/cancelled',
      ...fields,
    };
  }

  payment(customerId: string, fields: Partial<CheckoutRequest> = {}): CheckoutRequest {
    const invoiceId = newId('inv');
    const payment = { paymentId: newId('pay'), invoiceId, amount: '10', currency: 'usd', description: '1000 credits' };
    return this.page(customerId, { mode: 'payment', payment, ...fields });
  }

  /** A customer with a saved card; the card's id. */
  async cardholder(card = '4242424242424242'): Promise<{ customerId: string; paymentMethodId: string }> {
    const customerId = await this.customer();
    const { gatewaySessionId } = await this.gateway.openCheckout(this.page(customerId));
    await this.complete(gatewaySessionId, card);
    await this.gateway.refreshCheckout(this.scope, gatewaySessionId);
    const method = await this.run((tx) => this.methods.defaultOf(tx, customerId));
    return { customerId, paymentMethodId: method!.id };
  }

  attempt(payer: { customerId: string; paymentMethodId: string }, fields: Partial<ChargeRequest> = {}): ChargeRequest {
    return {
      ...this.scope,
      ...payer,
      attemptId: newId('att'),
      paymentId: newId('pay'),
      invoiceId: newId('inv'),
      gatewayPaymentId: null,
      amount: '149',
      currency: 'usd',
      description: 'Invoice 1',
      ...fields,
    };
  }

  /** What the buyer does on the hosted page. */
  async complete(gatewaySessionId: string, card = '4242424242424242'): Promise<string> {
    const answer = await this.control<{ result: string }>(`/sessions/${gatewaySessionId}/complete`, { card });
    return answer.result;
  }

  /** How often, by Stripe's own books, an invoice was charged with success. */
  async charged(invoiceId: string): Promise<number> {
    const { groups } = await this.control<{ groups: Record<string, { successful: number }> }>(
      `/charges?group_by=invoice_id&metadata[invoice_id]=${invoiceId}`,
    );
    return groups[invoiceId]?.successful ?? 0;
  }

  /** The requests that follow meet a fault; by default the first that fits, once. */
  async fault(act: string, path: string, more: object = {}): Promise<void> {
    await this.control('/faults', { act, match: { method: 'POST', path }, ...more });
  }

  async control<T = unknown>(route: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.sandbox.controlUrl}${route}`, {
      method: body ? 'POST' : 'GET',
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${route} of the sandbox answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
