import type { FastifyInstance } from 'fastify';
import type { Account } from './account.js';
import { find } from './account.js';
import { accepts, BY_CONTROL, count, oneOf, text, type Named } from './control-body.js';
import { newId } from './identifier.js';
import { FAULTS, type FaultRule } from './tables.js';

type Order = Pick<FaultRule, 'act'> & Partial<Pick<FaultRule, 'match' | 'times' | 'ms' | 'execute'>>;

const ORDER = {
  act: oneOf(...FAULTS),
  match: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: text,
      path: text,
      nth: count,
      metadata: { type: 'object', additionalProperties: text },
    },
  },
  times: { type: ['integer', 'null'], minimum: 1 },
  ms: { type: 'integer', minimum: 0, maximum: 600_000 },
  execute: { type: 'boolean' },
};

/** Faults on demand: a rule strikes the nth request it matches, so many times. */
export function mountFaultControl(app: FastifyInstance, account: Account): void {
  const { store } = account;
  app.get('/faults', async () => ({ data: store.all('fault') }));
  app.post<{ Body: Order }>('/faults', accepts(ORDER, 'act'), async ({ body }) =>
    store.write(BY_CONTROL, () => {
      const rule: FaultRule = {
        id: newId('fault', 12),
        act: body.act,
        match: body.match ?? {},
        times: body.times === undefined ? 1 : body.times,
        ms: body.ms ?? 1000,
        execute: body.execute ?? false,
        seen: 0,
        struck: 0,
      };
      store.put('fault', rule);
      return rule;
    }),
  );
  app.delete('/faults', async () =>
    store.write(BY_CONTROL, () => {
      const rules = store.all('fault');
      for (const rule of rules) store.remove('fault', rule.id);
      return { deleted: rules.length };
    }),
  );
  app.delete<Named>('/faults/:id', async ({ params }) =>
    store.write(BY_CONTROL, () => {
      store.remove('fault', find(account, 'fault', params.id).id);
      return { deleted: 1 };
    }),
  );
}
