import type { FastifyInstance } from 'fastify';
import qs from 'qs';
import type Stripe from 'stripe';
import type { Account } from './account.js';
import type { RequestLog } from './request-log.js';
import type { Entry } from './store.js';
import type { TableName } from './tables.js';

/** What Stripe's world sees; the sandbox's own bookkeeping (secrets, rules, keys) stays inside. */
const SHOWN = new Set<TableName>([
  'customer',
  'payment_method',
  'payment_intent',
  'setup_intent',
  'checkout.session',
  'charge',
  'refund',
  'dispute',
  'event',
  'webhook_endpoint',
]);

interface Asked {
  since?: string;
  object?: string;
  id?: string;
}

/** What Stripe saw: the oracle of every test about double or lost money. */
export function mountOracle(app: FastifyInstance, account: Account, log: RequestLog): void {
  app.get('/journal', async ({ query }) => {
    const { since = '0', object, id } = query as Asked;
    const entries = (account.store.journal.read() as Entry[])
      .filter((entry) => entry.seq > Number(since))
      .map((entry) => ({
        seq: entry.seq,
        at: entry.at,
        cause: entry.cause,
        changes: entry.changes
          .filter((change) => SHOWN.has(change.table))
          .filter((change) => (!object || change.table === object) && (!id || change.id === id))
          .map((change) => ({ object: change.table, id: change.id, value: change.value })),
      }))
      .filter((entry) => entry.changes.length > 0);
    const successful = account.store.all('charge').filter((charge) => charge.status === 'succeeded');
    return { entries, charges: successful.map(summaryOf) };
  });

  app.get('/charges', async ({ url }) => {
    const wanted = qs.parse(url.split('?')[1] ?? '') as Record<string, string | Record<string, string> | undefined>;
    const charges = account.store.all('charge').filter((charge) => fits(charge, wanted));
    const key = typeof wanted.group_by === 'string' ? wanted.group_by : undefined;
    return { count: charges.length, data: charges.map(summaryOf), ...(key && { groups: successesBy(charges, key) }) };
  });

  app.get('/requests', async () => ({ data: log.entries }));
}

function fits(charge: Stripe.Charge, wanted: Record<string, string | Record<string, string> | undefined>): boolean {
  for (const field of ['status', 'customer', 'payment_intent', 'currency'] as const) {
    if (wanted[field] !== undefined && charge[field] !== wanted[field]) return false;
  }
  const metadata = typeof wanted.metadata === 'object' ? wanted.metadata : {};
  return Object.entries(metadata).every(([key, value]) => charge.metadata[key] === value);
}

function summaryOf(charge: Stripe.Charge) {
  const {
    id,
    amount,
    amount_refunded,
    created,
    currency,
    customer,
    disputed,
    failure_code,
    metadata,
    payment_intent,
    status,
  } = charge;
  return {
    id,
    amount,
    amount_refunded,
    created,
    currency,
    customer,
    disputed,
    failure_code,
    metadata,
    payment_intent,
    status,
  };
}

/** "How many successful charges per invoice": by the value of one metadata key. */
function successesBy(charges: Stripe.Charge[], key: string): Record<string, { successful: number; amount: number }> {
  const groups: Record<string, { successful: number; amount: number }> = {};
  for (const charge of charges) {
    const value = charge.metadata[key];
    if (charge.status !== 'succeeded' || value === undefined) continue;
    const group = (groups[value] ??= { successful: 0, amount: 0 });
    group.successful += 1;
    group.amount += charge.amount;
  }
  return groups;
}
