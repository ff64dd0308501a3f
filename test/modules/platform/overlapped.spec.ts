import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { overlapped, sqlState, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { startModules, type Modules } from '../../support/modules.js';

/** Whatever fails, nothing is left of a transaction whose statements were sent without waiting for one another. */
describe('statements that overlap', () => {
  let modules: Modules;

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    await modules.run((tx) =>
      sql`create table written (seq bigint generated always as identity, n integer unique)`.execute(tx.db),
    );
  });

  beforeEach(() => modules.run((tx) => sql`delete from written`.execute(tx.db)));

  const add = async (tx: Tx, n: number): Promise<void> => {
    await sql`insert into written (n) select ${n}::integer from pg_sleep(0.02)`.execute(tx.db);
  };

  const written = () =>
    modules.run(async (tx) => {
      const found = await sql<{ n: number }>`select n from written order by seq`.execute(tx.db);
      return found.rows.map(({ n }) => n);
    });

  it('are all done, in their order, when the work is', async () => {
    const answer = await modules.run((tx) =>
      overlapped(async (write) => {
        for (const n of [3, 1, 2]) write(add(tx, n));
        await add(tx, 4);
        return 'done';
      }),
    );
    expect(answer).toBe('done');
    expect(await written()).toEqual([3, 1, 2, 4]);
  });

  it('leave nothing when one of them fails, and tell of that one', async () => {
    const failed = modules.run((tx) =>
      overlapped(async (write) => {
        for (const n of [1, 1, 2, 3]) write(add(tx, n));
        await add(tx, 4);
      }),
    );
    expect(sqlState(await failed.catch((error: unknown) => error))).toBe('23505');
    expect(await written()).toEqual([]);
  });

  it('tell of what the work failed with, when that was before them', async () => {
    const failed = modules.run((tx) =>
      overlapped(async (write) => {
        write(add(tx, 1));
        const own = sql`select 1 / 0`.execute(tx.db).then(() => {});
        write(add(tx, 2));
        await own;
      }),
    );
    expect(sqlState(await failed.catch((error: unknown) => error))).toBe('22012');
    expect(await written()).toEqual([]);
  });

  it('are waited for also when the work fails at once', async () => {
    const failed = modules.run((tx) =>
      overlapped((write) => {
        for (const n of [1, 2]) write(add(tx, n));
        throw new Error('the work has failed');
      }),
    );
    await expect(failed).rejects.toThrow('the work has failed');
    expect(await written()).toEqual([]);
  });

  it('leave nothing when the work fails while they are under way', async () => {
    const failed = modules.run((tx) =>
      overlapped((write) => {
        for (const n of [1, 2, 3]) write(add(tx, n));
        return Promise.reject(new Error('the work has failed'));
      }),
    );
    await expect(failed).rejects.toThrow('the work has failed');
    await modules.run((tx) => sql`select pg_sleep(0.1)`.execute(tx.db));
    expect(await written()).toEqual([]);
  });
});
