import type { Settings } from '@drawdown/platform';
import { SANDBOX_KEY, SandboxKeeper } from './sandbox-keeper.js';

/** How the gateway reaches Stripe, or its stand-in. */
export interface StripeAccess {
  readonly secretKey: string;
  /** Null: Stripe itself. */
  readonly apiBase: string | null;
  /** Empty: the endpoint is registered at start and its secret kept in the database. */
  readonly webhookSecrets: readonly string[];
  /** Where Stripe reaches this server; null when webhooks are set up by hand. */
  readonly webhookBase: string | null;
}

/** Stripe as the settings say; without a key the sandbox, started beside the server unless it runs already. */
export async function stripeAccess(settings: Settings): Promise<StripeAccess & { stop: () => void }> {
  const webhookSecrets = settings.STRIPE_WEBHOOK_SECRET?.split(',') ?? [];
  if (settings.STRIPE_SECRET_KEY) {
    const apiBase = settings.STRIPE_API_BASE ?? null;
    return { secretKey: settings.STRIPE_SECRET_KEY, apiBase, webhookSecrets, webhookBase: null, stop: () => {} };
  }
  const keeper = await SandboxKeeper.start(settings);
  return {
    secretKey: SANDBOX_KEY,
    apiBase: `http://127.0.0.1:${settings.STRIPE_SANDBOX_PORT}`,
    webhookSecrets,
    webhookBase: settings.PUBLIC_URL ?? `http://127.0.0.1:${settings.PORT}`,
    stop: () => keeper.stop(),
  };
}
