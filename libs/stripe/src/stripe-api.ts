import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import { isLiveKey, STRIPE_OPTIONS, type StripeOptions } from './stripe-options.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { TokenBucket } from './token-bucket.js';

/** The version the package's types describe; events come in it too. */
export const API_VERSION = '2026-10-28.endive';
/** Never above the 25 a second that Stripe lets a test account do, whatever has waited. */
const CALLS_PER_SECOND = 20;
const CALLS_AT_ONCE = 5;
const WRITE_TIMEOUT_MS = 20_000;
const READ_TIMEOUT_MS = 10_000;
/** How often a call that was turned away at the door (429, 409) knocks again, and the first pause. */
const KNOCKS = 5;
const FIRST_PAUSE_MS = 250;

/**
 * The line to Stripe: one client, one rate, bounded waits. What was turned away before it ran is sent again with the
 * same key; any other failure goes to the caller, who knows what it means.
 */
@Injectable()
export class StripeApi {
  /** Whether the key moves real money. */
  readonly livemode: boolean;
  private readonly stripe: Stripe;
  private readonly bucket = new TokenBucket(CALLS_PER_SECOND, { burst: CALLS_AT_ONCE });
  private readonly breaker = new CircuitBreaker();

  constructor(@Inject(STRIPE_OPTIONS) options: StripeOptions) {
    this.livemode = isLiveKey(options.secretKey);
    this.stripe = new Stripe(options.secretKey, {
      apiVersion: API_VERSION,
      maxNetworkRetries: 0,
      timeout: WRITE_TIMEOUT_MS,
      telemetry: false,
      appInfo: { name: 'drawdown', version: '0.1.0' },
      ...addressOf(options.apiBase),
    });
  }

  /** Asks something; a lost answer is asked for once more. */
  read<T>(ask: (stripe: Stripe, options: Stripe.RequestOptions) => Promise<T>): Promise<T> {
    return this.call(() => ask(this.stripe, { timeout: READ_TIMEOUT_MS, maxNetworkRetries: 1 }));
  }

  /** Changes something. The key makes it happen once, however often it is sent within Stripe's 24 hours. */
  write<T>(idempotencyKey: string, send: (stripe: Stripe, options: Stripe.RequestOptions) => Promise<T>): Promise<T> {
    return this.call(() => send(this.stripe, { idempotencyKey }));
  }

  /** Every item of a list that is newest first, page by page. */
  async *pages<T extends { id: string }>(
    ask: (
      stripe: Stripe,
      page: { limit: number; starting_after?: string },
      options: Stripe.RequestOptions,
    ) => Promise<Stripe.ApiList<T>>,
  ): AsyncGenerator<T[]> {
    for (let after: string | undefined; ;) {
      const page = await this.read((stripe, options) =>
        ask(stripe, { limit: 100, ...(after ? { starting_after: after } : {}) }, options),
      );
      yield page.data;
      after = page.data.at(-1)?.id;
      if (!page.has_more || after === undefined) return;
    }
  }

  private async call<T>(once: () => Promise<T>): Promise<T> {
    for (let knock = 1; ; knock++) {
      if (!this.breaker.lets()) throw isDown();
      await this.bucket.take();
      try {
        const answer = await once();
        this.breaker.answered();
        this.bucket.speedUp();
        return answer;
      } catch (error) {
        if (isNoAnswer(error)) this.breaker.failed();
        else this.breaker.answered();
        if (!isTurnedAway(error) || knock === KNOCKS) throw error;
        if (error instanceof Stripe.errors.StripeRateLimitError) this.bucket.slowDown();
        await sleep(FIRST_PAUSE_MS * 2 ** (knock - 1) * (0.5 + Math.random() / 2));
      }
    }
  }
}

/** The line is cut, or Stripe itself is in trouble: not an answer to what was asked. */
const isNoAnswer = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeConnectionError ||
  (error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500);

const isDown = () =>
  new Stripe.errors.StripeConnectionError({
    type: 'api_error',
    message: 'Stripe has given no answer for a while: it is asked again in a moment',
  });

/** Too many requests, or the same one is being answered just now (faults reference, 7 and 8). */
const isTurnedAway = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeRateLimitError ||
  (error instanceof Stripe.errors.StripeError && error.statusCode === 409);

function addressOf(apiBase: string | null): Pick<Stripe.StripeConfig, 'host' | 'port' | 'protocol'> {
  if (apiBase === null) return {};
  const { hostname, port, protocol } = new URL(apiBase);
  const secure = protocol === 'https:';
  return { host: hostname, port: port || (secure ? 443 : 80), protocol: secure ? 'https' : 'http' };
}

/** True when Stripe has no such object (any more). */
export const isMissing = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing';

/** For `.catch`: what Stripe doesn't have is null. */
export function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

/** The id of what Stripe shows by its id or in full. */
export const idOf = (shown: string | { id: string } | null | undefined): string | null =>
  typeof shown === 'string' ? shown : (shown?.id ?? null);
