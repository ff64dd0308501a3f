import type Stripe from 'stripe';
import { find, type Account } from './account.js';
import { newId } from './identifier.js';
import { matches, page, within } from './listing.js';
import { expand, flag, instants, list, pagination, text, type Shape } from './params.js';
import { route } from './route.js';
import type { Delivery } from './tables.js';
import { strike } from './webhook-rules.js';

export const API_VERSION: Stripe.LatestApiVersion = '2026-10-28.endive';
const REACH_SECONDS = 30 * 24 * 3600;

type Type = Stripe.Event['type'];
type ObjectOf<T extends Type> = Extract<Stripe.Event, { type: T }>['data']['object'];

/** Records that something happened, frozen as it is now, and puts it on its way to each endpoint that listens. */
export function announce<T extends Type>(
  account: Account,
  type: T,
  subject: ObjectOf<T>,
  previous?: Partial<ObjectOf<T>>,
): void {
  const copies = strike(account, 'twin', type) ? 2 : 1;
  for (let copy = 0; copy < copies; copy += 1) {
    const endpoints = account.store
      .all('webhook_endpoint')
      .filter((endpoint) => endpoint.status === 'enabled' && listensTo(endpoint.enabled_events, type));
    const { request, idempotency_key: key } = account.store.cause;
    const event = {
      id: newId('evt'),
      object: 'event',
      api_version: API_VERSION,
      created: account.clock.now(),
      data: structuredClone(previous ? { object: subject, previous_attributes: previous } : { object: subject }),
      livemode: strike(account, 'livemode', type) !== undefined,
      pending_webhooks: endpoints.length,
      request: { id: account.store.cause.by === 'api' ? (request ?? null) : null, idempotency_key: key ?? null },
      type,
    } as unknown as Stripe.Event;
    account.store.put('event', event);
    const fate = fateOf(account, type);
    for (const endpoint of endpoints) {
      account.store.put('delivery', newDelivery({ event, endpoint: endpoint.id, fate, due: account.clock.nowMs() }));
    }
  }
}

function listensTo(enabled: string[], type: string): boolean {
  return enabled.includes('*') || enabled.includes(type);
}

type Fate = 'send' | 'hold' | 'swap' | 'never';

/** The webhook rules decide once for an event, whatever the number of endpoints. */
function fateOf(account: Account, type: string): Fate {
  for (const act of ['never', 'hold', 'swap'] as const) if (strike(account, act, type)) return act;
  return 'send';
}

function newDelivery(of: { event: Stripe.Event; endpoint: string; fate: Fate; due: number }): Delivery {
  const held = of.fate === 'hold' || of.fate === 'swap';
  return {
    id: newId('whd'),
    event: of.event.id,
    endpoint: of.endpoint,
    type: of.event.type,
    status: of.fate === 'never' ? 'never' : held ? 'held' : 'pending',
    swaps: of.fate === 'swap',
    attempts: [],
    next_attempt_at: of.fate === 'send' ? of.due : null,
  };
}

/** The attributes that differ, with their old values: `previous_attributes` of an `updated` event. */
export function differences<T extends object>(before: T, after: T): Partial<T> {
  const keys = Object.keys(after) as (keyof T)[];
  const changed = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return Object.fromEntries(changed.map((key) => [key, before[key]])) as Partial<T>;
}

/** How many endpoints still owe an answer, by event. */
function pendingByEvent(account: Account): Map<string, number> {
  const pending = new Map<string, number>();
  for (const { event, status } of account.store.all('delivery')) {
    if (status !== 'succeeded') pending.set(event, (pending.get(event) ?? 0) + 1);
  }
  return pending;
}

/** The stored event is frozen; only the count of endpoints still to answer moves. */
const asSeenNow = (event: Stripe.Event, pending: Map<string, number>): Stripe.Event => ({
  ...event,
  pending_webhooks: pending.get(event.id) ?? 0,
});

const listShape = {
  ...pagination,
  created: instants(),
  delivery_success: flag(),
  type: text(),
  types: list(text()),
} satisfies Shape<Stripe.EventListParams>;

const wildcard = (pattern: string, type: string): boolean =>
  pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;

function listEvents(account: Account, wanted: Stripe.EventListParams): Stripe.ApiList<Stripe.Event> {
  const oldest = account.clock.now() - REACH_SECONDS;
  const pending = pendingByEvent(account);
  const types = wanted.types ?? (wanted.type ? [wanted.type] : undefined);
  const rows = account.store
    .all('event')
    .filter((event) => event.created >= oldest && within(event.created, wanted.created))
    .filter((event) => !types || types.some((pattern) => wildcard(pattern, event.type)))
    .filter((event) => matches(!pending.has(event.id), wanted.delivery_success));
  const found = page('/v1/events', rows, wanted);
  return { ...found, data: found.data.map((event) => asSeenNow(event, pending)) };
}

export const eventRoutes = [
  route<Stripe.EventListParams>('GET', '/v1/events', listShape, listEvents),
  route<Stripe.EventRetrieveParams>('GET', '/v1/events/:id', expand, (account, _params, id) =>
    asSeenNow(find(account, 'event', id), pendingByEvent(account)),
  ),
];
