import type { Account } from './account.js';
import { readParams, type Shape } from './params.js';

export type Method = 'GET' | 'POST' | 'DELETE';

export interface Route {
  method: Method;
  path: string;
  parse(given: Record<string, unknown>): { expand?: string[] };
  run(account: Account, params: unknown, id: string): object;
}

/** One endpoint: its parameters as `stripe` types them, and the use case behind it. */
export function route<P extends object>(
  method: Method,
  path: string,
  shape: Shape<P>,
  run: (account: Account, params: P, id: string) => object,
): Route {
  return {
    method,
    path,
    parse: (given) => readParams(shape, given),
    run: (account, params, id) => run(account, params as P, id),
  };
}
