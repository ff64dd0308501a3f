import type { FastifyInstance } from 'fastify';
import { find, type Account } from './account.js';
import { accepts, BY_CONTROL, count, oneOf, text, type Named } from './control-body.js';
import type { Dispatcher } from './dispatcher.js';
import { newId } from './identifier.js';
import { WEBHOOK_ACTS, type Delivery, type WebhookRule } from './tables.js';
import { rollSecret } from './webhook-endpoint.js';

type Order = Pick<WebhookRule, 'act'> & Partial<Pick<WebhookRule, 'types' | 'times' | 'n' | 'seconds'>>;

const ORDER = {
  act: oneOf(...WEBHOOK_ACTS),
  types: { type: 'array', items: text, minItems: 1 },
  times: { type: ['integer', 'null'], minimum: 1 },
  n: count,
  seconds: count,
};

/** What goes wrong between Stripe and the merchant's door. */
export function mountWebhookControl(app: FastifyInstance, account: Account, dispatcher: Dispatcher): void {
  const { store } = account;
  mountRules(app, account);
  mountResending(app, account, dispatcher);

  /** Lets held deliveries go, one after the other: in the order of the named events, else as they were made. */
  app.post<{ Body: { order?: string[] } }>(
    '/webhooks/release',
    accepts({ order: { type: 'array', items: text } }),
    async ({ body }) => {
      const held = store.all('delivery').filter((one) => one.status === 'held');
      const ordered = body.order ? body.order.flatMap((event) => held.filter((one) => one.event === event)) : held;
      return { data: await dispatcher.sendInOrder(ordered.map((one) => one.id)) };
    },
  );

  app.get<{ Querystring: { event?: string; type?: string; status?: string } }>(
    '/webhooks/deliveries',
    async ({ query }) => {
      const wanted = (one: Delivery) =>
        (!query.event || one.event === query.event) &&
        (!query.type || one.type === query.type) &&
        (!query.status || one.status === query.status);
      return { data: store.all('delivery').filter(wanted) };
    },
  );

  /** Waits until nothing is being sent: retries that lie in the future do not count. */
  app.post('/webhooks/drain', accepts({}), async () => {
    await dispatcher.idle();
    return { pending: store.all('delivery').filter((one) => one.status === 'pending').length };
  });
}

function mountResending(app: FastifyInstance, account: Account, dispatcher: Dispatcher): void {
  const { store } = account;
  /** The dashboard's "resend": again the same event, to its endpoints, whatever became of it before. */
  app.post<Named>('/events/:id/send', accepts({}), async ({ params }) => {
    find(account, 'event', params.id);
    const deliveries = store.all('delivery').filter((one) => one.event === params.id);
    return { data: await dispatcher.sendInOrder(deliveries.map((one) => one.id)) };
  });

  app.post<Named & { Body: { overlap_seconds?: number } }>(
    '/webhook_endpoints/:id/roll_secret',
    accepts({ overlap_seconds: { type: 'integer', minimum: 0 } }),
    async ({ params, body }) =>
      store.write(BY_CONTROL, () => ({ secret: rollSecret(account, params.id, body.overlap_seconds) })),
  );
}

function mountRules(app: FastifyInstance, account: Account): void {
  const { store } = account;
  app.get('/webhooks', async () => ({ data: store.all('webhook_rule') }));
  app.post<{ Body: Order }>('/webhooks', accepts(ORDER, 'act'), async ({ body }) =>
    store.write(BY_CONTROL, () => {
      const rule: WebhookRule = {
        id: newId('rule', 12),
        act: body.act,
        types: body.types ?? ['*'],
        times: body.times === undefined ? usualTimes(body.act) : body.times,
        n: body.n ?? 2,
        seconds: body.seconds ?? 600,
        struck: 0,
      };
      store.put('webhook_rule', rule);
      return rule;
    }),
  );
  app.delete('/webhooks', async () =>
    store.write(BY_CONTROL, () => {
      const rules = store.all('webhook_rule');
      for (const rule of rules) store.remove('webhook_rule', rule.id);
      return { deleted: rules.length };
    }),
  );
}

/** Holding and silence last until told otherwise; a swap takes two; the rest strikes once. */
function usualTimes(act: WebhookRule['act']): number | null {
  if (act === 'hold' || act === 'never') return null;
  return act === 'swap' ? 2 : 1;
}
