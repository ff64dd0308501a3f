import { OutcomeUnknown, type RefundOutcome, type RefundRequest } from '@drawdown/contracts';
import { Problem, type Scope } from '@drawdown/platform';
import { Injectable, Logger } from '@nestjs/common';
import Stripe from 'stripe';
import { isKeyOld, isReplayed } from './key-life.js';
import { StripeAccount } from './stripe-account.js';
import { StripeApi } from './stripe-api.js';
import { newRefund } from './stripe-requests.js';

const NONE = { status: 'none' } as const;

/** Money given back. Each refund has one idempotency key, and carries its id, by which it is found again. */
@Injectable()
export class Refunds {
  private readonly log = new Logger(Refunds.name);

  constructor(
    private readonly api: StripeApi,
    private readonly account: StripeAccount,
  ) {}

  async refund(request: RefundRequest): Promise<RefundOutcome> {
    const refusal = await this.account.assertMode(scopeOf(request)).catch(asRefusal);
    if (refusal) return failed(null, 'wrong_key_mode', refusal.message);
    await this.assertOurAccount();
    const known = isKeyOld(request.refundId) ? await this.find(request) : null;
    if (known) return refundOutcome(known);
    try {
      const made = await this.api.write(request.refundId, (stripe, options) =>
        stripe.refunds.create(newRefund(request), options),
      );
      return refundOutcome(made);
    } catch (error) {
      return this.outcomeOf(request, error);
    }
  }

  async resolve(request: RefundRequest): Promise<RefundOutcome | typeof NONE> {
    await this.account.assertMode(scopeOf(request));
    await this.assertOurAccount();
    const known = await this.find(request);
    return known ? refundOutcome(known) : NONE;
  }

  private async find({ gatewayPaymentId, refundId }: RefundRequest): Promise<Stripe.Refund | null> {
    const pages = this.api.pages((stripe, page, options) =>
      stripe.refunds.list({ payment_intent: gatewayPaymentId, ...page }, options),
    );
    for await (const page of pages) {
      const made = page.find((refund) => refund.metadata?.['refund_id'] === refundId);
      if (made) return made;
    }
    return null;
  }

  /** Refused as it stands: nothing went back. @throws OutcomeUnknown for an error that doesn't tell. */
  private async outcomeOf(request: RefundRequest, error: unknown): Promise<RefundOutcome> {
    const { StripeIdempotencyError, StripeInvalidRequestError } = Stripe.errors;
    if (error instanceof StripeInvalidRequestError) return failed(null, error.code ?? 'invalid_request', error.message);
    // Other content under the same key is our mistake; what it was first used for may stand.
    const alarm = error instanceof StripeIdempotencyError ? 'error' : 'warn';
    this.log[alarm](`refund ${request.refundId}: ${(error as Error).message}`);
    if (!isReplayed(error)) throw new OutcomeUnknown((error as Error).message, { cause: error });
    const made = await this.find(request);
    return made ? refundOutcome(made) : failed(null, 'gateway_error', 'Stripe failed to process the refund');
  }

  /** @throws OutcomeUnknown under the key of another account, which can't tell what became of anything of ours. */
  private async assertOurAccount(): Promise<void> {
    await this.account.assertOurs().catch((error: Error) => {
      throw new OutcomeUnknown(error.message, { cause: error });
    });
  }
}

/** What Stripe's refund means; `canceled` is one that never went out. */
export function refundOutcome(refund: Stripe.Refund): RefundOutcome {
  switch (refund.status) {
    case 'succeeded':
      return { status: 'succeeded', gatewayRefundId: refund.id };
    case 'failed':
    case 'canceled':
      return failed(refund.id, refund.failure_reason ?? refund.status, 'the money could not be given back');
    case 'pending':
    case 'requires_action':
    case null:
    default:
      return { status: 'pending', gatewayRefundId: refund.id };
  }
}

const failed = (gatewayRefundId: string | null, code: string, message: string): RefundOutcome => ({
  status: 'failed',
  gatewayRefundId,
  code,
  message,
});

const scopeOf = ({ tenantId, environmentId }: RefundRequest): Scope => ({ tenantId, environmentId });

function asRefusal(error: unknown): Problem {
  if (error instanceof Problem && error.code === 'invalid_operation') return error;
  throw error;
}
