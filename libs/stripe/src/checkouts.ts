import { checkoutSettled, type CheckoutRequest, type GatewayScope } from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import { EventBus, Problem, Transactions, type Scope, type Tx } from '@drawdown/platform';
import { Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import Stripe from 'stripe';
import { checkoutOutcome, mayBecome, savedBy, type CheckoutOutcome, type CheckoutStatus } from './checkout-outcome.js';
import { madeOnce } from './made-once.js';
import { ownership } from './ownership.js';
import { PaymentMethodsService } from './payment-methods.service.js';
import { StripeAccount } from './stripe-account.js';
import { idOf, isMissing, StripeApi } from './stripe-api.js';
import { StripeCheckout } from './stripe-checkout.entity.js';
import { StripeCustomers } from './stripe-customers.js';
import { newSession } from './stripe-requests.js';

/** Hosted pages: opened, read, closed, and what became of them told once. */
@Injectable()
export class Checkouts {
  private readonly log = new Logger(Checkouts.name);

  constructor(
    private readonly api: StripeApi,
    private readonly account: StripeAccount,
    private readonly stripeCustomers: StripeCustomers,
    private readonly methods: PaymentMethodsService,
    private readonly customers: CustomersService,
    private readonly events: EventBus,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Opens the page of `request.sessionId`; a repeat within a day (its life) finds the same one.
   * @throws Problem 400 when Stripe refuses the request or the key is of the wrong mode, 503 when it can't be asked.
   */
  async open(request: CheckoutRequest): Promise<{ gatewaySessionId: string; url: string; expiresAt: string }> {
    const session = await this.create(request).catch((error: unknown) => {
      throw this.problemOf(error);
    });
    const { id, url } = session;
    if (!url) throw new Error(`Stripe opened ${id} without a page`);
    await this.transactions.run(scopeOf(request), (tx) => this.remember(tx, request.customerId, session));
    return {
      gatewaySessionId: id,
      url,
      expiresAt: instant(session.expires_at).toISOString(),
    };
  }

  /** The session with everything its outcome is read from. */
  read(gatewaySessionId: string): Promise<Stripe.Checkout.Session> {
    const expand = ['payment_intent.payment_method', 'setup_intent.payment_method'];
    return this.api.read((stripe, options) => stripe.checkout.sessions.retrieve(gatewaySessionId, { expand }, options));
  }

  /** Looks at the page and tells what became of it; one that Stripe doesn't know can't be paid any more. */
  async refresh(environment: GatewayScope, gatewaySessionId: string): Promise<void> {
    const scope = scopeOf(environment);
    try {
      const session = await this.read(gatewaySessionId);
      const owners = await this.stripeCustomers.owners([idOf(session.customer) ?? '']);
      const owned = ownership(scope, owners.get(idOf(session.customer) ?? ''), session);
      if ('ignored' in owned) throw Problem.notFound('checkout session', gatewaySessionId);
      await this.transactions.run(scope, (tx) => this.settle(tx, owned.customerId, session));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.account.assertMode(scope);
      await this.account.assertOurs();
      await this.transactions.run(scope, (tx) => this.lose(tx, gatewaySessionId));
    }
  }

  /** Closes an open page. One that was used a moment before refuses; reading it tells. */
  async expire(environment: GatewayScope, gatewaySessionId: string): Promise<void> {
    try {
      await this.api.write(crypto.randomUUID(), (stripe, options) =>
        stripe.checkout.sessions.expire(gatewaySessionId, {}, options),
      );
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
    }
    await this.refresh(environment, gatewaySessionId);
  }

  /** Tells, once each, what a session read in full shows: the method it saved, and how it ended. */
  async settle(tx: Tx, customerId: string, session: Stripe.Checkout.Session): Promise<void> {
    await this.customers.lock(tx, [customerId]);
    await this.remember(tx, customerId, session);
    const method = savedBy(session);
    if (method) await this.methods.keep(tx, customerId, method);
    const outcome = checkoutOutcome(session);
    if (outcome) await this.tell(tx, session.id, outcome);
  }

  private async lose(tx: Tx, gatewaySessionId: string): Promise<void> {
    const held = await tx.em.findOne(StripeCheckout, {
      environmentId: tx.scope.environmentId,
      id: gatewaySessionId,
    });
    if (!held) throw Problem.notFound('checkout session', gatewaySessionId);
    await this.customers.lock(tx, [held.customerId]);
    await this.tell(tx, gatewaySessionId, { status: 'expired', gatewayPaymentId: null, amount: null });
  }

  /** A session has its row from the moment it is known, whether its opener or a webhook is first. */
  private async remember(tx: Tx, customerId: string, session: Stripe.Checkout.Session): Promise<void> {
    const sessionId = session.client_reference_id;
    if (!sessionId) throw new Error(`${session.id} carries no id of ours`);
    await sql`
      insert into stripe_checkout (id, tenant_id, environment_id, customer_id, session_id, status, expires_at,
                                   created_at, updated_at)
      values (${session.id}, ${tx.scope.tenantId}, ${tx.scope.environmentId}, ${customerId}, ${sessionId}, 'open',
              ${instant(session.expires_at)}, ${tx.now}, ${tx.now})
      on conflict (id) do nothing`.execute(tx.db);
  }

  private async tell(tx: Tx, gatewaySessionId: string, outcome: CheckoutOutcome): Promise<void> {
    const found = await sql<{ customer_id: string; session_id: string; status: CheckoutStatus }>`
      select customer_id, session_id, status from stripe_checkout
      where environment_id = ${tx.scope.environmentId} and id = ${gatewaySessionId} for update`.execute(tx.db);
    const row = found.rows[0];
    if (!row || !mayBecome(row.status, outcome.status)) return;
    await sql`
      update stripe_checkout set status = ${outcome.status}, updated_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = ${gatewaySessionId}`.execute(tx.db);
    await this.events.publish(tx, checkoutSettled, {
      customer_id: row.customer_id,
      session_id: row.session_id,
      status: outcome.status,
      gateway_payment_id: outcome.gatewayPaymentId,
      amount: outcome.amount,
    });
  }

  /** A customer that was deleted at Stripe is made anew, once. */
  private async create(request: CheckoutRequest): Promise<Stripe.Checkout.Session> {
    const owner = { ...scopeOf(request), customerId: request.customerId };
    await this.account.assertMode(owner);
    await this.account.assertOurs();
    const details = { name: request.customerName, email: request.customerEmail };
    const stripeId = await this.stripeCustomers.ensure(owner, details);
    try {
      return await this.send(request, stripeId, request.sessionId);
    } catch (error) {
      if (!isMissing(error) || (error as Stripe.errors.StripeError).param !== 'customer') throw error;
      if (!(await this.stripeCustomers.isDeleted(stripeId))) throw error;
      await this.transactions.run(scopeOf(request), (tx) => this.stripeCustomers.markGone(tx, stripeId));
      const another = await this.stripeCustomers.ensure(owner, details);
      return this.send(request, another, `${request.sessionId}:${another}`);
    }
  }

  private send(request: CheckoutRequest, stripeId: string, key: string): Promise<Stripe.Checkout.Session> {
    return madeOnce(
      key,
      (one) =>
        this.api.write(one, (stripe, options) =>
          stripe.checkout.sessions.create(newSession(request, stripeId), options),
        ),
      () => this.find(request.sessionId, stripeId),
    );
  }

  private async find(sessionId: string, stripeId: string): Promise<Stripe.Checkout.Session | null> {
    const pages = this.api.pages((stripe, page, options) =>
      stripe.checkout.sessions.list({ customer: stripeId, ...page }, options),
    );
    for await (const page of pages) {
      const made = page.find((session) => session.client_reference_id === sessionId);
      if (made) return made;
    }
    return null;
  }

  private problemOf(error: unknown): unknown {
    if (!(error instanceof Stripe.errors.StripeError)) return error;
    this.log.warn(`opening a hosted page failed: ${error.type} ${error.code ?? ''} ${error.message}`);
    if (error instanceof Stripe.errors.StripeInvalidRequestError) {
      return new Problem('validation_error', `the payment provider refused this: ${error.message}`, {
        field: error.param?.split('[')[0] ?? 'body',
      });
    }
    return new Problem('service_unavailable', 'the payment provider can not be asked just now, please try again');
  }
}

const scopeOf = ({ tenantId, environmentId }: GatewayScope): Scope => ({ tenantId, environmentId });

const instant = (unixSeconds: number): Date => new Date(unixSeconds * 1000);
