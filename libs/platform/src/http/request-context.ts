import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from '../database/scope.js';

/** What is known of the request being answered: who asks, and under which idempotency key. */
export interface RequestContext {
  readonly requestId: string;
  /** Set by the guard once the API key is known; routes without a key have none. */
  scope: Caller | null;
  idempotency: { readonly key: string; readonly fingerprint: string } | null;
  replayed: boolean;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();
