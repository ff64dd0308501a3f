import {
  type ChargeOutcome,
  type ChargeRequest,
  checkoutSettled,
  chargeSettled,
  OutcomeUnknown,
  PAYMENT_GATEWAY,
  type PaymentGateway,
  paymentMethodSaved,
  type RefundOutcome,
  type RefundRequest,
  SAVED_METHODS,
  type SavedMethods,
} from '@drawdown/contracts';
import { EventBus, Outbox, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { startModules, type Modules } from '../../support/modules.js';

type Answer = ChargeOutcome | { readonly status: 'none' } | Error;

/** A gateway whose answers a test writes, and which remembers what it was asked. */
class ScriptedGateway {
  readonly charged: ChargeRequest[] = [];
  readonly resolved: ChargeRequest[] = [];
  readonly closed: string[] = [];
  readonly refunded: RefundRequest[] = [];
  readonly refundsResolved: RefundRequest[] = [];
  /** The next answers to `refund` and `resolveRefund`, in order; without any a refund succeeds. */
  readonly refundAnswers: (RefundOutcome | { readonly status: 'none' } | Error)[] = [];
  /** Looked at by a test the moment the gateway is called. */
  beforeCharge: ((request: ChargeRequest) => Promise<void>) | null = null;
  /** While it is, no page opens. */
  unreachable = false;
  private readonly answers: Answer[] = [];
  private pages = 0;

  /** The next answers to `charge` and `resolve`, in order; without any a charge succeeds. */
  willAnswer(...answers: Answer[]): void {
    this.answers.push(...answers);
  }

  private next(request: ChargeRequest): Answer {
    return this.answers.shift() ?? succeeded(request);
  }

  readonly port: PaymentGateway = {
    charge: async (request) => {
      this.charged.push(request);
      await this.beforeCharge?.(request);
      const answer = this.next(request);
      if (answer instanceof Error) throw answer;
      return answer as ChargeOutcome;
    },
    resolve: async (request) => {
      this.resolved.push(request);
      const answer = this.next(request);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    refund: async (request) => {
      this.refunded.push(request);
      const answer = this.refundAnswers.shift() ?? { status: 'succeeded', gatewayRefundId: `re_${request.refundId}` };
      if (answer instanceof Error) throw answer;
      return answer as RefundOutcome;
    },
    resolveRefund: async (request) => {
      this.refundsResolved.push(request);
      const answer = this.refundAnswers.shift() ?? { status: 'succeeded', gatewayRefundId: `re_${request.refundId}` };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    openCheckout: async () => {
      if (this.unreachable) throw new Error('no answer');
      const gatewaySessionId = `cs_${++this.pages}`;
      return { gatewaySessionId, url: `https://pay.example/${gatewaySessionId}`, expiresAt: '2030-01-01T00:00:00Z' };
    },
    refreshCheckout: async () => {},
    expireCheckout: async (_scope, gatewaySessionId) => void this.closed.push(gatewaySessionId),
  };
}

export const succeeded = (request: Pick<ChargeRequest, 'invoiceId' | 'amount'>, gatewayPaymentId?: string) =>
  ({
    status: 'succeeded',
    gatewayPaymentId: gatewayPaymentId ?? `pi_${request.invoiceId}`,
    amount: request.amount,
  }) as const;

export const declined = (over: { hard?: boolean; needsCustomer?: boolean } = {}) =>
  ({
    status: 'failed',
    gatewayPaymentId: null,
    code: 'card_declined',
    message: 'the card was declined',
    hard: false,
    needsCustomer: false,
    ...over,
  }) as const;

export const lost = () => new OutcomeUnknown('the answer was lost');

export interface InvoiceBody extends Record<string, unknown> {
  id: string;
  invoice_status: string;
  payment_status: string;
  invoice_number: string;
  amount_due: string;
  amount_paid: string;
  amount_remaining: string;
  overpaid_amount: string;
  line_items: (Record<string, string> & { metadata: unknown })[];
}

export interface PaymentBody {
  id: string;
  payment_status: string;
  payment_method_type: string;
  error_code: string | null;
  error_message: string | null;
  attempts: { attempt_number: number; state: string }[];
}

/** The real application with a scripted gateway, a plan of one fee of 149 a month, and cards saved by word of mouth. */
export class InvoicingWorld {
  readonly gateway = new ScriptedGateway();
  private readonly cards = new Map<string, string>();
  private planId: string;
  private customers = 0;
  private cardsSaved = 0;

  private constructor(readonly modules: Modules) {}

  static async start(at: string): Promise<InvoicingWorld> {
    const world = new InvoicingWorld(await startModules({ at }));
    const app = world.modules.app;
    Object.assign(app.get<PaymentGateway>(PAYMENT_GATEWAY), world.gateway.port);
    app.get<SavedMethods<Tx>>(SAVED_METHODS).defaultOf = async (_tx, customerId) => {
      const id = world.cards.get(customerId);
      return id ? { id, brand: 'visa', last4: '4242' } : null;
    };
    world.planId = await world.plan({ amount: '149' });
    return world;
  }

  async ok<T>(answer: Promise<{ status: number; body: unknown }>, status = 200): Promise<T> {
    const { status: actual, body } = await answer;
    if (actual !== status) throw new Error(`answered ${actual}, not ${status}: ${JSON.stringify(body)}`);
    return body as T;
  }

  async plan(price: object): Promise<string> {
    const { id } = await this.ok<{ id: string }>(this.modules.api.post('/plans', { name: 'Plan' }), 201);
    const fee = {
      type: 'FIXED',
      invoice_cadence: 'ADVANCE',
      billing_model: 'FLAT_FEE',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      price_unit_type: 'FIAT',
      currency: 'usd',
      entity_type: 'PLAN',
      entity_id: id,
    };
    await this.ok(this.modules.api.post('/prices', { ...fee, ...price }), 201);
    return id;
  }

  async customer({ card = false } = {}): Promise<string> {
    const external_id = `customer-${++this.customers}`;
    const { id } = await this.ok<{ id: string }>(this.modules.api.post('/customers', { external_id }), 201);
    if (card) this.putCard(id);
    return id;
  }

  /** A card nobody was told of. */
  putCard(customerId: string): string {
    const id = `pm_${++this.cardsSaved}`;
    this.cards.set(customerId, id);
    return id;
  }

  /** A subscription of the plan (default: 149 a month, no trial), whose first invoice is finalized at once. */
  async subscribe(customerId: string, options: object = {}) {
    const body = {
      customer_id: customerId,
      plan_id: this.planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      ...options,
    };
    return this.ok<{ id: string; latest_invoice: InvoiceBody | null }>(
      this.modules.api.post('/subscriptions', body),
      201,
    );
  }

  /** An unpaid invoice of 149, its first collection (if there is a card) done. */
  async invoice(customerId: string, options: object = {}): Promise<string> {
    const { latest_invoice: invoice } = await this.subscribe(customerId, options);
    await this.settled();
    return invoice!.id;
  }

  /** Saves another card and tells it, as the stripe module does. */
  async saveCard(customerId: string): Promise<void> {
    const id = this.putCard(customerId);
    await this.tell(paymentMethodSaved, {
      customer_id: customerId,
      payment_method_id: id,
      brand: 'visa',
      last4: '4242',
    });
    await this.settled();
  }

  tell: <D extends Parameters<EventBus['publish']>[1]>(event: D, payload: object) => Promise<void> = (event, payload) =>
    this.modules.run((tx) => this.modules.get(EventBus).publish(tx, event, payload as never));

  async chargeTold(attemptId: string, outcome: ChargeOutcome): Promise<void> {
    await this.tell(chargeSettled, { attempt_id: attemptId, outcome });
    await this.settled();
  }

  async pageTold(sessionId: string, status: 'paid' | 'saved' | 'expired' | 'failed', amount: string | null = null) {
    const [session] = await this.rows<{ customer_id: string }>(
      sql`select customer_id from checkout_session where id = ${sessionId}`,
    );
    await this.tell(checkoutSettled, {
      ...session!,
      session_id: sessionId,
      status,
      gateway_payment_id: amount ? `pi_${sessionId}` : null,
      amount,
    });
    await this.settled();
  }

  /** Everything that waits for a commit has been done. */
  settled(): Promise<void> {
    return this.modules.get(Outbox).drain(this.modules.scope);
  }

  /** The outbox delivers again what it has delivered of this event, as after a crash before it was marked done. */
  async deliverAgain(event: string, invoiceId: string): Promise<void> {
    await this.rows(sql`
      update outbox_delivery d set status = 'pending' from outbox_event e
      where e.seq = d.event_seq and e.name = ${event} and e.payload ->> 'invoice_id' = ${invoiceId}`);
    await this.settled();
  }

  read(invoiceId: string): Promise<InvoiceBody> {
    return this.ok(this.modules.api.get(`/invoices/${invoiceId}`));
  }

  async payments(invoiceId: string): Promise<PaymentBody[]> {
    const found = await this.ok<{ items: PaymentBody[] }>(
      this.modules.api.get(`/payments?destination_id=${invoiceId}&order=asc`),
    );
    return found.items;
  }

  async attempts(invoiceId: string): Promise<{ id: string; state: string }[]> {
    return this.rows(sql`select id, state from payment_attempt where invoice_id = ${invoiceId} order by number`);
  }

  openPage(body: object) {
    const urls = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };
    return this.modules.api.post('/checkout/sessions', { ...body, ...urls });
  }

  async wallet(customerId: string): Promise<string> {
    const body = { customer_id: customerId, currency: 'usd', topup_conversion_rate: '0.5' };
    return (await this.ok<{ id: string }>(this.modules.api.post('/wallets', body))).id;
  }

  async balance(walletId: string): Promise<Record<string, string>> {
    return this.ok(this.modules.api.get(`/wallets/${walletId}/balance/real-time`));
  }

  async rows<T>(query: ReturnType<typeof sql>): Promise<T[]> {
    return this.modules.run(async (tx) => (await query.execute(tx.db)).rows as T[]);
  }

  /** The names of the events about an invoice, in order. */
  async events(invoiceId: string): Promise<string[]> {
    const rows = await this.rows<{ name: string }>(
      sql`select name from outbox_event where payload ->> 'invoice_id' = ${invoiceId} order by seq`,
    );
    return rows.map(({ name }) => name);
  }

  /** Moves the clock by so many minutes and does what falls due. */
  async wait(minutes: number): Promise<string[]> {
    const { now } = await this.ok<{ now: string }>(this.modules.api.get('/clock'));
    return this.modules.advanceTo(new Date(Date.parse(now) + minutes * 60_000).toISOString());
  }
}
