import type { Scope } from '@drawdown/platform';
import type { Owner } from './stripe-customers.js';

/** Nothing at Stripe shows, yet, whose this is. Asked again for a while: what proves it may still be on its way. */
export class UnknownObject extends Error {}

/** Ours, or somebody else's and then none of our business. */
export type Ownership = { readonly customerId: string } | { readonly ignored: string };

/**
 * Whether an object at Stripe belongs to the environment: by our own row of its customer. Its metadata, which anybody
 * with the account can write, may only speak against it.
 * @throws UnknownObject when nothing tells.
 */
export function ownership(
  scope: Scope,
  owner: Owner | undefined,
  object: { id: string; metadata?: Record<string, string> | null },
): Ownership {
  const named = object.metadata?.['environment_id'];
  if (owner && owner.environmentId === scope.environmentId) {
    if (named === undefined || named === scope.environmentId) return { customerId: owner.customerId };
    throw new Error(`${object.id} is of a customer of this environment, but its metadata names another`);
  }
  if (owner) return { ignored: 'belongs to another environment' };
  if (named !== undefined && named !== scope.environmentId) return { ignored: 'made for another environment' };
  throw new UnknownObject(`${object.id} is of no customer known here`);
}
