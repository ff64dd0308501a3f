import type Stripe from 'stripe';
import { find, type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { API_VERSION } from './event.js';
import { newId } from './identifier.js';
import { page } from './listing.js';
import {
  expand, flag, list, metadata, metadataPatch, newMetadata, pagination, patchMetadata, required, text, unsupported, url,
  type Shape,
} from './params.js'; // prettier-ignore
import { route } from './route.js';

const MOST = 16;
const ROLL_OVER_SECONDS = 24 * 3600;

const createShape = {
  ...expand,
  ...unsupported('connect'),
  api_version: text(),
  description: text(),
  enabled_events: required(list(text())),
  metadata: metadata(),
  url: required(url()),
} satisfies Shape<Stripe.WebhookEndpointCreateParams>;

const updateShape = {
  ...expand,
  description: text(),
  disabled: flag(),
  enabled_events: list(text()),
  metadata: metadataPatch(),
  url: url(),
} satisfies Shape<Stripe.WebhookEndpointUpdateParams>;

/** The secret is told once, here, and never again. */
function create(account: Account, params: Stripe.WebhookEndpointCreateParams): Stripe.WebhookEndpoint {
  if (account.store.all('webhook_endpoint').length >= MOST) {
    throw invalidRequest(`You have reached the maximum of ${MOST} test webhook endpoints.`);
  }
  if (params.api_version && params.api_version !== API_VERSION) {
    throw invalidRequest(`The sandbox speaks only API version ${API_VERSION}.`, { param: 'api_version' });
  }
  const endpoint: Stripe.WebhookEndpoint = {
    id: newId('we'),
    object: 'webhook_endpoint',
    api_version: params.api_version ?? null,
    application: null,
    created: account.clock.now(),
    description: params.description || null,
    enabled_events: params.enabled_events,
    livemode: false,
    metadata: newMetadata(params.metadata),
    status: 'enabled',
    url: params.url,
  };
  const secret = newId('whsec', 32);
  account.store.put('webhook_endpoint', endpoint);
  account.store.put('endpoint_secrets', { id: endpoint.id, secret, previous: null });
  return { ...endpoint, secret };
}

function update(account: Account, params: Stripe.WebhookEndpointUpdateParams, id: string): Stripe.WebhookEndpoint {
  const before = find(account, 'webhook_endpoint', id);
  const after: Stripe.WebhookEndpoint = {
    ...before,
    description: params.description === undefined ? before.description : params.description || null,
    enabled_events: params.enabled_events ?? before.enabled_events,
    metadata: patchMetadata(before.metadata, params.metadata),
    status: params.disabled === undefined ? before.status : params.disabled ? 'disabled' : 'enabled',
    url: params.url ?? before.url,
  };
  account.store.put('webhook_endpoint', after);
  return after;
}

/** A new secret; the old one signs as well until it expires. */
export function rollSecret(account: Account, id: string, overlapSeconds = ROLL_OVER_SECONDS): string {
  find(account, 'webhook_endpoint', id);
  const old = account.store.get('endpoint_secrets', id);
  const secret = newId('whsec', 32);
  const previous =
    old && overlapSeconds > 0 ? { secret: old.secret, expires_at: account.clock.now() + overlapSeconds } : null;
  account.store.put('endpoint_secrets', { id, secret, previous });
  return secret;
}

export const webhookEndpointRoutes = [
  route<Stripe.WebhookEndpointCreateParams>('POST', '/v1/webhook_endpoints', createShape, create),
  route<Stripe.WebhookEndpointListParams>('GET', '/v1/webhook_endpoints', pagination, (account, wanted) =>
    page('/v1/webhook_endpoints', account.store.all('webhook_endpoint'), wanted),
  ),
  route<Stripe.WebhookEndpointRetrieveParams>('GET', '/v1/webhook_endpoints/:id', expand, (account, _params, id) =>
    find(account, 'webhook_endpoint', id),
  ),
  route<Stripe.WebhookEndpointUpdateParams>('POST', '/v1/webhook_endpoints/:id', updateShape, update),
  route<Stripe.WebhookEndpointDeleteParams>('DELETE', '/v1/webhook_endpoints/:id', {}, (account, _params, id) => {
    find(account, 'webhook_endpoint', id);
    account.store.remove('webhook_endpoint', id);
    account.store.remove('endpoint_secrets', id);
    return { id, object: 'webhook_endpoint', deleted: true };
  }),
];
