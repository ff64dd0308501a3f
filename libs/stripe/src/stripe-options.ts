/** How this server reaches Stripe or its stand-in. Decided once, by the application. */
export interface StripeOptions {
  readonly secretKey: string;
  /** Null: Stripe itself. Else `http(s)://host[:port]`. */
  readonly apiBase: string | null;
  /** What signs the webhooks: one secret, two while one is rolled; empty: those registered by this server (see README). */
  readonly webhookSecrets: readonly string[];
  /** Under which address Stripe reaches this server, to register webhooks there; null: set up by hand, or not at all. */
  readonly webhookBase: string | null;
}

export const STRIPE_OPTIONS = Symbol('stripe options');

/** True for a key that moves real money. */
export const isLiveKey = (secretKey: string): boolean => /^[a-z]+_live_/.test(secretKey);
