import { OutcomeUnknown, type ChargeOutcome, type ChargeRequest } from '@drawdown/contracts';
import { Problem, Transactions, type Scope } from '@drawdown/platform';
import { Injectable, Logger } from '@nestjs/common';
import Stripe from 'stripe';
import { chargeOutcome, failed } from './charge-outcome.js';
import { isKeyOld, isReplayed, madeAtMs } from './key-life.js';
import { PaymentMethodsService } from './payment-methods.service.js';
import { StripeAccount } from './stripe-account.js';
import { nullIfMissing, StripeApi } from './stripe-api.js';
import { StripeCustomers } from './stripe-customers.js';
import { confirmation, handOver, newIntent } from './stripe-requests.js';

/** By so much may Stripe's clock lag behind ours. */
const CLOCK_LAG_MS = 3_600_000;

const NONE = { status: 'none' } as const;
type Known = ChargeOutcome | typeof NONE;

/**
 * Off-session charges. One PaymentIntent per invoice, confirmed again by each attempt, so that Stripe itself refuses a
 * second success; one idempotency key per attempt and step.
 */
@Injectable()
export class Charges {
  private readonly log = new Logger(Charges.name);

  constructor(
    private readonly api: StripeApi,
    private readonly account: StripeAccount,
    private readonly customers: StripeCustomers,
    private readonly methods: PaymentMethodsService,
    private readonly transactions: Transactions,
  ) {}

  async charge(request: ChargeRequest): Promise<ChargeOutcome> {
    const refusal = await this.account.assertMode(scopeOf(request)).catch(asRefusal);
    if (refusal) return failed(null, 'wrong_key_mode', refusal.message);
    await this.assertOurAccount();
    const payer = await this.customers.find(request);
    if (!payer || payer.gone) return failed(null, 'customer_missing', 'Stripe has no such customer', { hard: true });
    const intent = this.needsALook(request) ? await this.find(request, payer.id) : null;
    const known = judged(request, intent);
    if (known.status !== 'none') return known;
    const outcome = await this.send(request, payer.id, intent).catch((error: unknown) =>
      this.outcomeOf(request, payer.id, error),
    );
    await this.noticeLosses(request, payer.id, outcome).catch((error: Error) => this.log.warn(error.message));
    return outcome;
  }

  async resolve(request: ChargeRequest): Promise<Known> {
    await this.account.assertMode(scopeOf(request));
    await this.assertOurAccount();
    const payer = await this.customers.find(request);
    return payer ? judged(request, await this.find(request, payer.id)) : NONE;
  }

  /** @throws OutcomeUnknown under the key of another account, which can't tell what became of anything of ours. */
  private async assertOurAccount(): Promise<void> {
    await this.account.assertOurs().catch((error: Error) => {
      throw new OutcomeUnknown(error.message, { cause: error });
    });
  }

  /** Whether the key alone doesn't protect: the PaymentIntent is there already, or the key may be forgotten. */
  private needsALook({ gatewayPaymentId, attemptId }: ChargeRequest): boolean {
    return gatewayPaymentId !== null || isKeyOld(attemptId);
  }

  /** The invoice's PaymentIntent, else the one this attempt has made; null when there surely is none. */
  private async find(request: ChargeRequest, payer: string): Promise<Stripe.PaymentIntent | null> {
    const { gatewayPaymentId } = request;
    if (gatewayPaymentId !== null) {
      const intent = await this.api
        .read((stripe, options) => stripe.paymentIntents.retrieve(gatewayPaymentId, {}, options))
        .catch(nullIfMissing);
      if (intent && intent.status !== 'canceled') return intent;
    }
    const madeAt = madeAtMs(request.attemptId);
    const created = madeAt === null ? {} : { created: { gte: Math.floor((madeAt - CLOCK_LAG_MS) / 1000) } };
    const pages = this.api.pages((stripe, page, options) =>
      stripe.paymentIntents.list({ customer: payer, ...created, ...page }, options),
    );
    for await (const page of pages) {
      const made = page.find((intent) => intent.metadata['attempt_id'] === request.attemptId);
      if (made) return made;
    }
    return null;
  }

  private async send(
    request: ChargeRequest,
    payer: string,
    intent: Stripe.PaymentIntent | null,
  ): Promise<ChargeOutcome> {
    return conclusive(chargeOutcome({ intent: await this.confirmed(request, payer, intent) }));
  }

  private async confirmed(
    request: ChargeRequest,
    payer: string,
    intent: Stripe.PaymentIntent | null,
  ): Promise<Stripe.PaymentIntent> {
    const { attemptId } = request;
    if (!intent) {
      return this.api.write(attemptId, (stripe, options) =>
        stripe.paymentIntents.create(newIntent(request, payer), options),
      );
    }
    if (intent.metadata['attempt_id'] !== attemptId) {
      await this.api.write(`${attemptId}:hand_over`, (stripe, options) =>
        stripe.paymentIntents.update(intent.id, handOver(request, intent), options),
      );
    }
    return this.api.write(`${attemptId}:confirm`, (stripe, options) =>
      stripe.paymentIntents.confirm(intent.id, confirmation(request), options),
    );
  }

  /**
   * @throws OutcomeUnknown for an error that doesn't tell. One that Stripe repeats from memory does: that run is over,
   * and what it had done by then can be read.
   */
  private async outcomeOf(request: ChargeRequest, payer: string, error: unknown): Promise<ChargeOutcome> {
    const outcome = error instanceof OutcomeUnknown ? ({ status: 'unknown' } as const) : chargeOutcome({ error });
    if (outcome.status !== 'unknown' && outcome.status !== 'none') return outcome;
    // Other content under the same key is our mistake; the charge it was first used for may stand.
    const alarm = error instanceof Stripe.errors.StripeIdempotencyError ? 'error' : 'warn';
    this.log[alarm](`attempt ${request.attemptId}: ${(error as Error).message}`);
    if (!isReplayed(error)) throw new OutcomeUnknown((error as Error).message, { cause: error });
    const intent = await this.find(request, payer);
    const known = judged(request, intent);
    if (known.status !== 'none') return known;
    return failed(intent?.id ?? request.gatewayPaymentId, 'gateway_error', 'Stripe failed to process the charge');
  }

  /**
   * What Stripe shows to be gone is noted, so that it isn't tried again and again. That it doesn't know something is no
   * proof: only a deleted customer, or a method that is attached to nobody, is.
   */
  private async noticeLosses(request: ChargeRequest, payer: string, outcome: ChargeOutcome): Promise<void> {
    if (outcome.status !== 'failed') return;
    const scope = scopeOf(request);
    if (outcome.code === 'customer_missing' && (await this.customers.isDeleted(payer))) {
      await this.transactions.run(scope, async (tx) => {
        await this.methods.dropAll(tx, request.customerId);
        await this.customers.markGone(tx, payer);
      });
    }
    if (outcome.code === 'payment_method_missing' || outcome.code === 'payment_method_unexpected_state') {
      const method = await this.api
        .read((stripe, options) => stripe.paymentMethods.retrieve(request.paymentMethodId, {}, options))
        .catch(nullIfMissing);
      if (!method || method.customer) return;
      await this.transactions.run(scope, (tx) => this.methods.drop(tx, request.paymentMethodId));
    }
  }
}

const scopeOf = ({ tenantId, environmentId }: ChargeRequest): Scope => ({ tenantId, environmentId });

function asRefusal(error: unknown): Problem {
  if (error instanceof Problem && error.code === 'invalid_operation') return error;
  throw error;
}

/** What a PaymentIntent tells of the attempt; one that another attempt holds only tells whether the money is there. */
function judged({ attemptId }: ChargeRequest, intent: Stripe.PaymentIntent | null): Known {
  if (!intent) return NONE;
  const outcome = chargeOutcome({ intent });
  const isOurs = intent.metadata['attempt_id'] === attemptId;
  if (!isOurs && outcome.status !== 'succeeded' && outcome.status !== 'processing') return NONE;
  return outcome.status === 'unknown' ? NONE : outcome;
}

function conclusive(verdict: ReturnType<typeof chargeOutcome>): ChargeOutcome {
  if (verdict.status === 'none' || verdict.status === 'unknown') {
    throw new OutcomeUnknown('Stripe answered with a payment that is neither done nor refused');
  }
  return verdict;
}
