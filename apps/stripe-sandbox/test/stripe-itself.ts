import Stripe from 'stripe';

const KEY = process.env.STRIPE_CONFORMANCE_KEY;

/** Whether the statements are put to Stripe itself. */
export const againstStripe = Boolean(KEY);

/** A statement that is provoked by the sandbox's control API: Stripe has none. */
class NeedsTheSandbox extends Error {}

/** The conformance suite against Stripe's test mode: what needs the control API is passed over, and said so. */
export function stripeItself() {
  if (!KEY?.startsWith('sk_test_'))
    throw new Error('STRIPE_CONFORMANCE_KEY must be a key of the test mode (sk_test_…)');
  const client = (options: Record<string, unknown> = {}, key = KEY) =>
    new Stripe(key, { maxNetworkRetries: 0, telemetry: false, ...options });
  const needs = (what: string) => (): Promise<never> => Promise.reject(new NeedsTheSandbox(`${what} is the sandbox's`));
  return {
    dir: '',
    sandbox: { url: 'https://api.stripe.com', controlUrl: '', close: async () => {} },
    stripe: client(),
    client,
    control: async <T>(method: string, path: string): Promise<T> =>
      method === 'DELETE' ? (null as T) : needs(`${method} ${path}`)(),
    receiver: needs('a webhook receiver that can be reached'),
    restart: needs('a restart'),
    close: async () => {},
  };
}

if (againstStripe) globalThis.test = passingOver(globalThis.test);

/** The tests as they are, but for those that turn out to need the sandbox. */
function passingOver(test: jest.It): jest.It {
  const define = (name: string, run?: jest.ProvidesCallback, timeout = 60_000) =>
    test(name, run && (() => passedOver(name, run as () => unknown)), timeout);
  const each = (...table: [never]) => {
    const defineEach = test.each(...table) as unknown as (name: string, run: (...row: unknown[]) => unknown) => void;
    return (name: string, run: (...row: unknown[]) => unknown) =>
      defineEach(name, (...row: unknown[]) => passedOver(name, () => run(...row)));
  };
  return Object.assign(define, test, { each }) as unknown as jest.It;
}

async function passedOver(name: string, run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof NeedsTheSandbox)) throw error;
    console.warn(`passed over: ${name} (${error.message})`);
  }
}
