import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { bind } from './binding-connection.js';
import { Crowd } from './crowd.js';
import { type SetTx, together } from './together.js';
import type { Tx } from './transactions.js';

const TRANSACTION = {};
const transactionOf = (transaction: object) => ({ em: { getTransactionContext: () => transaction } }) as Tx;
const TX = transactionOf(TRANSACTION);

/** A statement that doubles numbers, and remembers with how many it was asked. */
function doubling() {
  const sizes: number[] = [];
  const statement = async (_: SetTx, asked: readonly number[]): Promise<number[]> => {
    sizes.push(asked.length);
    await sleep(1);
    if (asked.includes(13)) throw new Error('thirteen');
    return asked.map((n) => 2 * n);
  };
  return { sizes, ask: (n: number) => together(TX, statement, n) };
}

describe('a crowd', () => {
  it('asks what its members ask at the same moment in one statement, and gives each its answer', async () => {
    const { sizes, ask } = doubling();
    const answers: number[] = [];
    await Crowd.run(
      TRANSACTION,
      [1, 2, 3].map((n) => async () => {
        answers[n] = await ask(await ask(n));
      }),
    );
    expect(answers).toEqual([undefined, 4, 8, 12]);
    expect(sizes).toEqual([3, 3]);
  });

  it('waits for a member that is busy with something of its own, and not for one that is done', async () => {
    const { sizes, ask } = doubling();
    await Crowd.run(TRANSACTION, [
      async () => void (await ask(1)),
      async () => {
        await sleep(20);
        await ask(2);
        await ask(3);
      },
    ]);
    expect(sizes).toEqual([2, 1]);
  });

  it('keeps different questions apart, also of one member that asks two at once', async () => {
    const [one, other] = [doubling(), doubling()];
    const answers: number[] = [];
    await Crowd.run(TRANSACTION, [
      async () => void answers.push(...(await Promise.all([one.ask(1), other.ask(2)]))),
      async () => void answers.push(await one.ask(3)),
    ]);
    expect(answers.toSorted((a, b) => a - b)).toEqual([2, 4, 6]);
    expect([one.sizes, other.sizes]).toEqual([[2], [1]]);
  });

  it('fails with the first failure, after all have ended', async () => {
    const { ask } = doubling();
    let ended = 0;
    const works = [1, 13, 3].map((n) => async () => {
      await sleep(n === 3 ? 20 : 0);
      await ask(n).finally(() => ended++);
    });
    await expect(Crowd.run(TRANSACTION, works)).rejects.toThrow('thirteen');
    expect(ended).toBe(3);
  });

  it('throws what failed first in time, whoever it was', async () => {
    const works = [30, 10, 20].map((ms) => async () => {
      await sleep(ms);
      throw new Error(`after ${ms}`);
    });
    await expect(Crowd.run(TRANSACTION, works)).rejects.toThrow('after 10');
  });

  it('forgets what a member has asked that left without waiting for it', async () => {
    const { sizes, ask } = doubling();
    const works = [
      () => Promise.all([ask(1), Promise.reject(new Error('gone'))]).then(() => {}),
      async () => {
        await sleep(5);
        await ask(2);
      },
    ];
    await expect(Crowd.run(TRANSACTION, works)).rejects.toThrow('gone');
    expect(sizes).toEqual([1]);
  });

  it('is not known outside: a question is a statement of its own', async () => {
    const { sizes, ask } = doubling();
    expect(await Promise.all([ask(1), ask(2)])).toEqual([2, 4]);
    expect(sizes).toEqual([1, 1]);
  });

  it('is not that of another transaction which a member has begun', async () => {
    const sizes: number[] = [];
    const count = (_: SetTx, asked: readonly number[]) => {
      sizes.push(asked.length);
      return Promise.resolve(asked);
    };
    await Crowd.run(
      TRANSACTION,
      [1, 2].map((n) => async () => void (await together(transactionOf({}), count, n))),
    );
    expect(sizes).toEqual([1, 1]);
  });
});

describe("the ORM's statements", () => {
  it.each([
    [
      'select * from a where id = ? and at > ? limit ?',
      ['x', new Date(0), 1],
      'select * from a where id = $1 and at > $2 limit $3',
    ],
    ['select 1', [], 'select 1'],
    ['select ?? from a', ['id'], null],
    ["select a \\? 'b' from a where id = ?", ['x'], null],
    ['select * from a where id = ?', [{ sql: 'now()' }], null],
    ["select '?' from a where id = ?", ['x'], null],
  ])('%s with %j goes as %j', (query, params, bound) => {
    expect(bind(query, params)).toBe(bound);
  });
});
