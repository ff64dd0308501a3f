import type Stripe from 'stripe';
import type { Account } from './account.js';
import { invalidParameter } from './api-error.js';
import { lineItemsOf } from './checkout-session.js';
import type { TableName } from './tables.js';

/** Which table an expandable property's id points into. */
const EXPANDABLE: Record<string, TableName> = {
  customer: 'customer',
  payment_method: 'payment_method',
  default_payment_method: 'payment_method',
  payment_intent: 'payment_intent',
  setup_intent: 'setup_intent',
  latest_charge: 'charge',
  charge: 'charge',
};
const DEEPEST = 4;

type Json = Record<string, unknown>;

/** Replaces ids by their objects along each path (`data.payment_intent.latest_charge`). */
export function expanded(account: Account, answer: object, paths: string[]): object {
  if (paths.length === 0) return answer;
  const copy = structuredClone(answer) as Json;
  paths.forEach((path, index) => {
    const steps = path.split('.');
    if (steps.length > DEEPEST) throw invalidParameter('You cannot expand more than 4 levels deep', `expand[${index}]`);
    expandOne(account, copy, steps, { path, param: `expand[${index}]` });
  });
  return copy;
}

function expandOne(account: Account, target: Json, steps: string[], asked: { path: string; param: string }): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (step === 'data' && Array.isArray(target.data)) {
    for (const row of target.data as Json[]) expandOne(account, row, rest, asked);
    return;
  }
  if (step === 'line_items' && target.object === 'checkout.session') {
    target.line_items = lineItemsOf(account, target as unknown as Stripe.Checkout.Session, {});
    return;
  }
  const table = EXPANDABLE[step];
  const value = target[step];
  if (!table && !(rest.length > 0 && isObject(value))) {
    throw invalidParameter(`This property cannot be expanded (${asked.path}).`, asked.param);
  }
  if (table && typeof value === 'string') target[step] = structuredClone(account.store.get(table, value) ?? value);
  const next = target[step];
  if (isObject(next)) expandOne(account, next, rest, asked);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
