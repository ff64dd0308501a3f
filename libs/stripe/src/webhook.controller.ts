import { Problem, Public, realTime, Transactions } from '@drawdown/platform';
import { Controller, Headers, HttpCode, Inject, Logger, Param, Post, Req, type RawBodyRequest } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { noticeOf } from './event-topics.js';
import { isLiveKey, STRIPE_OPTIONS, type StripeOptions } from './stripe-options.js';
import { StripeInbox } from './stripe-inbox.js';
import { WebhookEndpoints } from './webhook-endpoints.js';
import { verifiedEvent } from './webhook-signature.js';

export class WebhookReceiptView {
  /** The word `true`: the wire has only texts here. */
  @ApiProperty({ description: 'The word `true`: the wire has only texts here.' })
  received: string;
}

@ApiTags('Webhooks')
@Controller('webhooks/stripe/:tenant_id/:environment_id')
export class WebhookController {
  private readonly log = new Logger(WebhookController.name);

  constructor(
    private readonly inbox: StripeInbox,
    private readonly endpoints: WebhookEndpoints,
    private readonly transactions: Transactions,
    @Inject(STRIPE_OPTIONS) private readonly options: StripeOptions,
  ) {}

  @Public()
  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Where Stripe tells its events; proved by their signature, stored, handled after the answer',
  })
  async receive(
    @Param('tenant_id') tenantId: string,
    @Param('environment_id') environmentId: string,
    @Headers('stripe-signature') header: string | undefined,
    @Req() request: RawBodyRequest<FastifyRequest>,
  ): Promise<WebhookReceiptView> {
    const scope = { tenantId, environmentId };
    try {
      if (!header || !request.rawBody) throw Problem.invalid('Stripe-Signature', 'is missing');
      const secrets = await this.endpoints.secretsOf(scope);
      const event = verifiedEvent({ body: request.rawBody, header, secrets, at: realTime() });
      if (event.livemode !== isLiveKey(this.options.secretKey)) {
        throw Problem.invalid('livemode', 'is not that of the key in use here');
      }
      await this.transactions.run(scope, (tx) => this.inbox.keep(tx, [noticeOf(event)]));
    } catch (error) {
      if (error instanceof Problem) this.log.warn(`a webhook for ${environmentId} was refused: ${error.message}`);
      throw error;
    }
    return { received: 'true' };
  }
}
