import { checkoutLapsed, type DueWork, PAYMENT_GATEWAY, type PaymentGateway } from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import { EventBus, Problem, type Scope, Transactions, type Tx } from '@drawdown/platform';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { CheckoutDesk } from './checkout-desk.js';
import { CHECKOUT_MOVES, move } from './lifecycles.js';
import { CheckoutSession } from './payment.entity.js';
import { Settlement } from './settlement.service.js';

type Page = Awaited<ReturnType<PaymentGateway['openCheckout']>>;

/** The network half of hosted pages: opens, re-reads and closes them at the gateway, never inside a transaction. */
@Injectable()
export class HostedPages {
  private readonly log = new Logger(HostedPages.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly customers: CustomersService,
    private readonly desk: CheckoutDesk,
    private readonly settlement: Settlement,
    private readonly events: EventBus,
    @Inject(PAYMENT_GATEWAY) private readonly gateway: PaymentGateway,
  ) {}

  /** Opens a committed session's page; again does nothing. @throws Problem 503 when the gateway can't be reached. */
  async open(scope: Scope, sessionId: string): Promise<CheckoutSession> {
    const session = await this.transactions.run(scope, (tx) => this.desk.get(tx, sessionId));
    if (session.status !== 'created') return session;
    const page = await this.gateway
      .openCheckout(session.request)
      .catch((error: Error) => this.notOpened(scope, sessionId, error));
    return this.transactions.run(scope, (tx) => this.opened(tx, sessionId, page));
  }

  /** The session as the gateway knows it now; what it says is settled as if the webhook had said it. */
  async read(scope: Scope, sessionId: string): Promise<CheckoutSession> {
    const session = await this.transactions.run(scope, (tx) => this.desk.get(tx, sessionId));
    if (session.status !== 'open') return session;
    try {
      await this.gateway.refreshCheckout(scope, session.gatewaySessionId!);
    } catch (error) {
      this.log.warn(`page of ${sessionId} was not read: ${(error as Error).message}`);
    }
    return this.transactions.run(scope, (tx) => this.desk.get(tx, sessionId));
  }

  /** What was to be paid on a page; null when it was to save a card. */
  async invoiceOf(scope: Scope, sessionId: string): Promise<string | null> {
    const session = await this.transactions.run(scope, (tx) => this.desk.get(tx, sessionId));
    return session.invoiceId ?? null;
  }

  /** Due work `checkout.expire`. A page nobody has the address of is over at once, an open one is closed after the commit. */
  async lapse(tx: Tx, work: DueWork): Promise<void> {
    const session = await this.desk.get(tx, work.subjectId);
    if (session.status === 'created') {
      await this.settlement.checkoutSettled(tx, over(session.id));
    } else if (session.status === 'open') {
      await this.tellToLapse(tx, session);
    }
  }

  /** An invoice asks for nothing any more: pages on which it could be paid are closed after the commit. */
  async withdraw(tx: Tx, invoiceId: string): Promise<void> {
    const where = { environmentId: tx.scope.environmentId, invoiceId, status: 'open' as const };
    for (const session of await tx.em.find(CheckoutSession, where)) await this.tellToLapse(tx, session);
  }

  /** Closes a page at the gateway, which tells what became of it. */
  async close(scope: Scope, sessionId: string): Promise<void> {
    const session = await this.transactions.run(scope, (tx) => this.desk.get(tx, sessionId));
    if (session.status === 'open') await this.gateway.expireCheckout(scope, session.gatewaySessionId!);
  }

  /** A page the gateway refuses will never be: what it was to pay is free again. One it didn't answer may be tried again. */
  private async notOpened(scope: Scope, sessionId: string, error: Error): Promise<never> {
    this.log.warn(`page of ${sessionId} was not opened: ${error.message}`);
    if (!(error instanceof Problem)) {
      throw new Problem('service_unavailable', 'the hosted page could not be opened, please try again');
    }
    if (error.status === 400)
      await this.transactions.run(scope, (tx) => this.settlement.checkoutSettled(tx, over(sessionId)));
    throw error;
  }

  private async opened(tx: Tx, sessionId: string, page: Page): Promise<CheckoutSession> {
    const { customerId } = await this.desk.get(tx, sessionId);
    await this.customers.lock(tx, [customerId]);
    const session = await tx.em.refreshOrFail(await this.desk.get(tx, sessionId));
    if (session.status === 'expired')
      throw Problem.state('the session expired before its page was open', session.status);
    const status = session.status === 'created' ? move(CHECKOUT_MOVES, session.status, 'open') : session.status;
    tx.em.assign(session, {
      status,
      url: page.url,
      gatewaySessionId: page.gatewaySessionId,
      updatedAt: tx.now,
    });
    if (status === 'open' && !(await this.desk.isWanted(tx, session))) await this.tellToLapse(tx, session);
    return session;
  }

  private tellToLapse(tx: Tx, session: CheckoutSession): Promise<void> {
    return this.events.publish(tx, checkoutLapsed, { session_id: session.id, customer_id: session.customerId });
  }
}

const over = (sessionId: string) =>
  ({ session_id: sessionId, status: 'expired', gateway_payment_id: null, amount: null }) as const;
