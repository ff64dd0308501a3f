import type Stripe from 'stripe';
import { invalidRequest } from './api-error.js';

interface Page {
  limit?: number;
  starting_after?: string;
  ending_before?: string;
}

/** One page, newest first, from rows in the order of creation. */
export function page<T extends { id: string }>(url: string, rows: T[], wanted: Page): Stripe.ApiList<T> {
  const { limit = 10, starting_after: after, ending_before: before } = wanted;
  if (after && before) {
    throw invalidRequest('You can only use one of `starting_after` and `ending_before`.', {
      code: 'parameters_exclusive',
    });
  }
  const newestFirst = rows.toReversed();
  if (before) {
    const rest = newestFirst.slice(0, placeOf(newestFirst, before, 'ending_before'));
    return { object: 'list', url, has_more: rest.length > limit, data: rest.slice(-limit) };
  }
  const rest = after ? newestFirst.slice(placeOf(newestFirst, after, 'starting_after') + 1) : newestFirst;
  return { object: 'list', url, has_more: rest.length > limit, data: rest.slice(0, limit) };
}

function placeOf(rows: { id: string }[], id: string, param: string): number {
  const place = rows.findIndex((row) => row.id === id);
  if (place === -1) throw invalidRequest(`No such object: '${id}'`, { code: 'resource_missing', param });
  return place;
}

export function within(created: number, wanted: number | Stripe.RangeQueryParam | undefined): boolean {
  if (wanted === undefined) return true;
  if (typeof wanted === 'number') return created === wanted;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = wanted;
  return created > gt && created >= gte && created < lt && created <= lte;
}

/** A filter that was not given lets everything pass. */
export function matches<V>(value: V, wanted: V | undefined): boolean {
  return wanted === undefined || value === wanted;
}
