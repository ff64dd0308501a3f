import { Problem, type Scope, Transactions } from '@drawdown/platform';
import { Injectable, Logger } from '@nestjs/common';
import Stripe from 'stripe';
import { PaymentMethodsService } from './payment-methods.service.js';
import { StripeAccount } from './stripe-account.js';
import { StripeApi } from './stripe-api.js';

/** Payment methods that a customer doesn't want to be charged any more: detached at Stripe, then forgotten here. */
@Injectable()
export class MethodRemoval {
  private readonly log = new Logger(MethodRemoval.name);

  constructor(
    private readonly api: StripeApi,
    private readonly account: StripeAccount,
    private readonly methods: PaymentMethodsService,
    private readonly transactions: Transactions,
  ) {}

  /** Again does nothing. @throws Problem 400 when the key is of the wrong mode, 503 when Stripe can't be asked. */
  async remove(scope: Scope, id: string): Promise<void> {
    await this.account.assertMode(scope);
    await this.account.assertOurs();
    await this.detach(id);
    await this.transactions.run(scope, (tx) => this.methods.drop(tx, id));
  }

  /** One that Stripe has not, or has attached to nobody, refuses to be detached: it is gone already. */
  private async detach(id: string): Promise<void> {
    try {
      await this.api.write(crypto.randomUUID(), (stripe, options) => stripe.paymentMethods.detach(id, {}, options));
    } catch (error) {
      if (error instanceof Stripe.errors.StripeInvalidRequestError) return;
      this.log.warn(`${id} was not detached: ${(error as Error).message}`);
      throw new Problem('service_unavailable', 'the payment provider can not be asked just now, please try again');
    }
  }
}
