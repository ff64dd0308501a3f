import { beforeAll, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import request from 'supertest';
import { productionKey } from '../support/production-scope.js';
import { startModules, type Modules } from '../support/modules.js';
import { Story } from './story.js';

/** What belongs to one environment doesn't exist for the key of another: every route with an id, every list. */
const document = JSON.parse(fs.readFileSync(path.resolve(import.meta.dirname, '../../openapi.json'), 'utf8'));
const routes = Object.entries(document.paths as Record<string, object>).flatMap(([at, methods]) =>
  Object.keys(methods).map((method) => ({ method, at: at.replace(/^\/v1/, '') })),
);

let modules: Modules;
let key: string;
let ids: Record<string, string>;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  const story = new Story(modules);
  await story.defineStarter(0);
  const buyer = await story.subscribe('secret-customer');
  await buyer.enrich(20);
  const invoice = await buyer.lastInvoice();
  const plan = await story.get<{
    prices: { id: string }[];
    entitlements: { id: string }[];
    credit_grants: { id: string }[];
  }>(`/plans/${story.starter.planId}`);
  ids = {
    features: story.starter.rowsFeatureId,
    plans: story.starter.planId,
    prices: plan.prices[0]!.id,
    entitlements: plan.entitlements[0]!.id,
    creditgrants: plan.credit_grants[0]!.id,
    customers: buyer.customerId,
    subscriptions: buyer.subscriptionId,
    wallets: (await buyer.wallet()).id,
    invoices: invoice.id,
    events: 'secret-customer-1',
  };
  key = await productionKey(modules);
});

const as = (method: string, at: string) => request(modules.url)[method as 'get'](`/v1${at}`).set('x-api-key', key);

it('reads nothing of another environment by id', async () => {
  const seen: string[] = [];
  for (const { at } of routes.filter((route) => route.method === 'get' && /\{[^}]+\}/.test(route.at))) {
    const kind = at.split('/')[1]!;
    const answer = await as('get', at.replace(/\{[^}]+\}/, ids[kind] ?? 'unknown'));
    if (answer.status !== 404) seen.push(`GET ${at}: ${answer.status} ${answer.text.slice(0, 200)}`);
  }
  expect(seen).toEqual([]);
});

it('finds nothing of another environment in any list', async () => {
  const seen: string[] = [];
  for (const { at, method } of routes.filter((route) => !route.at.includes('{'))) {
    if (method === 'get' || at.endsWith('/search') || at.endsWith('/query')) {
      const answer = await (method === 'get' ? as('get', at) : as(method, at).send({}));
      if (Object.values(ids).some((id) => answer.text.includes(id))) seen.push(`${method} ${at}`);
    }
  }
  expect(seen).toEqual([]);
});

it('changes nothing of another environment', async () => {
  const before = await Promise.all(Object.entries(ids).map(([kind, id]) => modules.api.get(`/${kind}/${id}`)));
  for (const { at, method } of routes.filter((route) => route.method !== 'get' && route.at.includes('{'))) {
    const kind = at.split('/')[1]!;
    if (!ids[kind]) continue;
    const answer = await as(method, at.replace(/\{[^}]+\}/, ids[kind])).send({});
    expect({ at, method, refused: answer.status >= 400 && answer.status < 502 }).toEqual({ at, method, refused: true });
  }
  const after = await Promise.all(Object.entries(ids).map(([kind, id]) => modules.api.get(`/${kind}/${id}`)));
  expect(after.map((answer) => answer.body)).toEqual(before.map((answer) => answer.body));
});
