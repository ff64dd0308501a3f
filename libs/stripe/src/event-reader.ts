import { chargeSettled, disputeChanged, refundReported, refundSettled } from '@drawdown/contracts';
import { EventBus, type Scope, type Tx } from '@drawdown/platform';
import { fromMinorUnits, text } from '@drawdown/billing-core';
import { Injectable } from '@nestjs/common';
import type Stripe from 'stripe';
import { chargeOutcome } from './charge-outcome.js';
import { refundOutcome } from './refunds.js';
import { stageOf } from './dispute-stage.js';
import { Checkouts } from './checkouts.js';
import { topicOf } from './event-topics.js';
import { ownership, UnknownObject, type Ownership } from './ownership.js';
import { PaymentMethodsService } from './payment-methods.service.js';
import { StripeAccount } from './stripe-account.js';
import { idOf, nullIfMissing, StripeApi } from './stripe-api.js';
import { StripeCustomers } from './stripe-customers.js';

/** What an event comes to: something to do in the transaction that marks it handled, or nothing, and why. */
export type News = { readonly effect: (tx: Tx) => Promise<void> } | { readonly ignored: string };

type Reference = string | { id: string } | null;
type Subject = { id: string; customer?: string | { id: string } | null; metadata?: Stripe.Metadata | null };

/** Looks at Stripe what an event is about: the event says where to look, the object says what is true. */
@Injectable()
export class EventReader {
  constructor(
    private readonly api: StripeApi,
    private readonly account: StripeAccount,
    private readonly customers: StripeCustomers,
    private readonly checkouts: Checkouts,
    private readonly methods: PaymentMethodsService,
    private readonly events: EventBus,
  ) {}

  /** @throws UnknownObject while nothing shows whose it is. */
  async read(scope: Scope, type: string, objectId: string): Promise<News> {
    await this.account.assertOurs();
    switch (topicOf(type)) {
      case 'payment_intent':
        return this.paymentIntent(scope, objectId);
      case 'checkout_session':
        return this.checkout(scope, objectId);
      case 'payment_method':
        return this.paymentMethod(scope, objectId, type);
      case 'refund':
        return this.refund(scope, objectId);
      case 'dispute':
        return this.dispute(scope, objectId);
      case 'customer':
        return this.customer(scope, objectId);
      case null:
        return { ignored: 'not acted on' };
    }
  }

  private async paymentIntent(scope: Scope, id: string): Promise<News> {
    const intent = await this.api.read((stripe, options) => stripe.paymentIntents.retrieve(id, {}, options));
    const owned = await this.owned(scope, intent);
    if ('ignored' in owned) return owned;
    const { attempt_id: attemptId, session_id: sessionId } = intent.metadata;
    if (sessionId) return this.checkoutOf(scope, id);
    if (!attemptId) throw new UnknownObject(`${id} carries no id of ours`);
    const outcome = chargeOutcome({ intent });
    if (outcome.status === 'none' || outcome.status === 'unknown') return { ignored: 'the charge has no outcome yet' };
    return { effect: (tx) => this.events.publish(tx, chargeSettled, { attempt_id: attemptId, outcome }) };
  }

  /** A PaymentIntent that a hosted page has made tells no more than the page. */
  private async checkoutOf(scope: Scope, paymentIntentId: string): Promise<News> {
    const found = await this.api.read((stripe, options) =>
      stripe.checkout.sessions.list({ payment_intent: paymentIntentId, limit: 1 }, options),
    );
    const session = found.data[0];
    if (!session) throw new UnknownObject(`no session of ${paymentIntentId} was found`);
    return this.checkout(scope, session.id);
  }

  private async checkout(scope: Scope, id: string): Promise<News> {
    const session = await this.checkouts.read(id);
    const owned = await this.owned(scope, session);
    if ('ignored' in owned) return owned;
    return { effect: (tx) => this.checkouts.settle(tx, owned.customerId, session) };
  }

  private async paymentMethod(scope: Scope, id: string, type: string): Promise<News> {
    const method = await this.api
      .read((stripe, options) => stripe.paymentMethods.retrieve(id, {}, options))
      .catch(nullIfMissing);
    if (!method && type !== 'payment_method.detached') return { ignored: 'Stripe has no such payment method' };
    if (!method?.customer) return { effect: (tx) => this.methods.drop(tx, id) };
    const owned = await this.owned(scope, { id, customer: method.customer });
    if ('ignored' in owned) return owned;
    return { effect: (tx) => this.methods.keep(tx, owned.customerId, method) };
  }

  /** One that we made carries its id; any other was made at Stripe by hand. */
  private async refund(scope: Scope, id: string): Promise<News> {
    const refund = await this.api.read((stripe, options) => stripe.refunds.retrieve(id, {}, options));
    const paid = await this.paidBy(scope, refund);
    if ('ignored' in paid) return paid;
    const outcome = refundOutcome(refund);
    const refundId = refund.metadata?.['refund_id'];
    if (refundId) {
      return { effect: (tx) => this.events.publish(tx, refundSettled, { refund_id: refundId, outcome }) };
    }
    return {
      effect: (tx) =>
        this.events.publish(tx, refundReported, {
          customer_id: paid.customerId,
          gateway_payment_id: paid.intent.id,
          amount: text(fromMinorUnits(BigInt(refund.amount), refund.currency)),
          currency: refund.currency,
          outcome,
        }),
    };
  }

  private async dispute(scope: Scope, id: string): Promise<News> {
    const dispute = await this.api.read((stripe, options) => stripe.disputes.retrieve(id, {}, options));
    const paid = await this.paidBy(scope, dispute);
    if ('ignored' in paid) return paid;
    const stage = stageOf(dispute.status);
    if (!stage) return { ignored: `a dispute that is ${dispute.status} has taken no money` };
    return {
      effect: (tx) =>
        this.events.publish(tx, disputeChanged, {
          customer_id: paid.customerId,
          gateway_dispute_id: dispute.id,
          gateway_payment_id: paid.intent.id,
          amount: text(fromMinorUnits(BigInt(dispute.amount), dispute.currency)),
          currency: dispute.currency,
          reason: dispute.reason,
          stage,
        }),
    };
  }

  /** Whose money a refund or a dispute is about: by the PaymentIntent, which names the customer. */
  private async paidBy(scope: Scope, { id, payment_intent }: { id: string; payment_intent: Reference }) {
    const intentId = idOf(payment_intent);
    if (!intentId) return { ignored: `${id} is of no payment that we make` };
    const intent = await this.api.read((stripe, options) => stripe.paymentIntents.retrieve(intentId, {}, options));
    const owned = await this.owned(scope, intent);
    return 'ignored' in owned ? owned : { ...owned, intent };
  }

  private async customer(scope: Scope, id: string): Promise<News> {
    const customer = await this.api
      .read((stripe, options) => stripe.customers.retrieve(id, {}, options))
      .catch(nullIfMissing);
    if (customer && !customer.deleted) return { ignored: 'the customer is still there' };
    const owned = await this.owned(scope, { id, customer: id });
    if ('ignored' in owned) return owned;
    return {
      effect: async (tx) => {
        await this.methods.dropAll(tx, owned.customerId);
        await this.customers.markGone(tx, id);
      },
    };
  }

  private async owned(scope: Scope, subject: Subject): Promise<Ownership> {
    const customerId = idOf(subject.customer) ?? '';
    return ownership(scope, (await this.customers.owners([customerId])).get(customerId), subject);
  }
}
