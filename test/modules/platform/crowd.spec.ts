import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Customer } from '@drawdown/customers';
import { newId, sideBySide, Transactions, type Tx } from '@drawdown/platform';
import { Subscription } from '@drawdown/subscriptions';
import { OptimisticLockError } from '@mikro-orm/core';
import { sql } from 'kysely';
import pg from 'pg';
import { startModules, type Modules } from '../../support/modules.js';
import { Story } from '../../scenarios/story.js';

/** What the ORM does for the members of a crowd is what it does for one alone. */
describe('entities of a crowd', () => {
  let modules: Modules;

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  });

  const add = async (tx: Tx, n: number): Promise<Customer> => {
    const customer = tx.em.create(Customer, {
      id: newId('cust'),
      ...tx.scope,
      externalId: `crowd-${n}`,
      name: n === 2 ? `It's "two", \\ ? $1 — ü` : `Name ${n}`,
      email: n % 2 ? `${n}@example.com` : null,
      timezone: 'UTC',
      metadata: n === 1 ? { a: '1', quote: '"?"' } : {},
      status: 'published',
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await tx.em.flush();
    return customer;
  };

  const rows = async () =>
    modules.run(async (tx) => {
      const found = await sql<Record<string, unknown>>`
        select external_id, name, email, metadata, status, created_at from customer
        where external_id like 'crowd-%' order by external_id`.execute(tx.db);
      return found.rows;
    });

  it('are inserted, found and changed together, each as its own', async () => {
    const sent = jest.spyOn(pg.Client.prototype, 'query');
    await modules.run((tx) =>
      sideBySide(
        tx,
        [1, 2, 3].map((n) => async (member) => {
          const { id } = await add(member, n);
          member.em.clear();
          const found = await member.em.findOneOrFail(Customer, { environmentId: tx.scope.environmentId, id });
          expect(found.externalId).toBe(`crowd-${n}`);
          member.em.assign(found, { metadata: { ...found.metadata, n: String(n) } });
          await member.em.flush();
        }),
      ),
    );
    const statements = JSON.stringify(sent.mock.calls);
    sent.mockRestore();
    for (const once of ['insert into \\"customer\\"', 'from \\"customer\\"', 'update \\"customer\\"']) {
      expect({ once, sent: statements.split(once).length - 1 }).toEqual({ once, sent: 1 });
    }
    const at = '2026-01-10T09:00:00.000Z';
    const stored = (await rows()).map((row) => ({
      ...row,
      created_at: new Date(row.created_at as string).toISOString(),
    }));
    expect(stored).toEqual([
      {
        external_id: 'crowd-1',
        name: 'Name 1',
        email: '1@example.com',
        metadata: { a: '1', quote: '"?"', n: '1' },
        status: 'published',
        created_at: at,
      },
      {
        external_id: 'crowd-2',
        name: `It's "two", \\ ? $1 — ü`,
        email: null,
        metadata: { n: '2' },
        status: 'published',
        created_at: at,
      },
      {
        external_id: 'crowd-3',
        name: 'Name 3',
        email: '3@example.com',
        metadata: { n: '3' },
        status: 'published',
        created_at: at,
      },
    ]);
  });

  it('are all rolled back when one fails', async () => {
    const before = await rows();
    const failing = modules.run((tx) =>
      sideBySide(
        tx,
        [4, 5].map((n) => async (member) => {
          await add(member, n);
          if (n === 5) throw new Error('five');
        }),
      ),
    );
    await expect(failing).rejects.toThrow('five');
    expect(await rows()).toEqual(before);
  });

  it('notice that somebody else has changed a versioned row', async () => {
    const story = new Story(modules);
    await story.defineStarter();
    const ids = [(await story.subscribe('one')).subscriptionId, (await story.subscribe('other')).subscriptionId];
    const changing = modules.run(async (tx) => {
      await sideBySide(
        tx,
        ids.map((id, n) => async (member) => {
          const found = await member.em.findOneOrFail(Subscription, { environmentId: tx.scope.environmentId, id });
          if (n === 1) await bump(id);
          member.em.assign(found, { metadata: { changed: 'yes' } });
          await member.em.flush();
        }),
      );
    });
    await expect(changing).rejects.toThrow(OptimisticLockError);
  });

  it('read back the version of what they have changed', async () => {
    const [first] = await modules.run((tx) => tx.em.find(Subscription, { environmentId: tx.scope.environmentId }));
    const { version } = first!;
    await modules.run((tx) =>
      sideBySide(tx, [
        async (member) => {
          const found = await member.em.findOneOrFail(Subscription, {
            environmentId: tx.scope.environmentId,
            id: first!.id,
          });
          for (const time of [1, 2]) {
            member.em.assign(found, { metadata: { time: String(time) } });
            await member.em.flush();
            expect(found.version).toBe(version + time);
          }
        },
      ]),
    );
  });

  /** By a transaction of its own. */
  const bump = (id: string) =>
    modules
      .get(Transactions)
      .run(modules.scope, (tx) => sql`update subscription set version = version + 1 where id = ${id}`.execute(tx.db));
});
