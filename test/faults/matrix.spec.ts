import { beforeAll, describe, expect, it } from '@jest/globals';
import { readSettings } from '@drawdown/platform';
import { Reconciliation, StripeInbox, WebhookEndpoints } from '@drawdown/stripe';
import { MikroORM } from '@mikro-orm/postgresql';
import { auditViolations } from '../../apps/server/src/invariants.js';
import { bootstrap, createServer } from '../../apps/server/src/server.js';
import { atEndOfFile } from '../support/closing.js';
import { doubleCharges } from './matrix/books.js';
import type { Flow } from './matrix/flow.js';
import { flows } from './matrix/flows/index.js';
import { recurringCharge } from './matrix/flows/recurring-charge.js';
import { Laboratory, type Trial } from './matrix/laboratory.js';
import { trialsOf } from './matrix/plan.js';
import { failureOf, isClean } from './matrix/report.js';
import type { ServerParts } from './matrix/server-under-test.js';
import { DELIVERIES } from './matrix/world.js';

/** A short selection of the fault matrix; the whole is `npm run faults` (README.md). */
const SEED = 5;
const parts = {
  createServer,
  bootstrap,
  readSettings,
  auditViolations,
  MikroORM,
  StripeInbox,
  Reconciliation,
  WebhookEndpoints,
};
const names = flows.map(({ name }) => name);

/** As the recurring charge; once it has been looked at without a fault, its receipts name payments that never were. */
let harmful = false;
const harm: Flow = {
  name: 'a server that books badly',
  async prepare(world) {
    const happen = await recurringCharge.prepare(world);
    return async (copy) => {
      await happen(copy);
      if (harmful) await copy.rows(`update payment_receipt set gateway_payment_id = 'pi_of_nobody_' || id`);
      harmful = true;
    };
  },
};

let laboratory: Laboratory;

beforeAll(async () => {
  laboratory = await Laboratory.start(
    parts as unknown as ServerParts,
    [...flows, harm],
    process.env.TEST_POSTGRES_BASE!,
  );
  atEndOfFile(() => laboratory.close());
}, 120_000);

async function expectClean(trials: readonly Trial[]): Promise<void> {
  const failures: string[] = [];
  for (const trial of trials) {
    const outcome = await laboratory.run(trial);
    if (!isClean(outcome)) failures.push(failureOf(outcome));
  }
  expect(failures).toEqual([]);
}

describe.each(names)('%s', (flow) => {
  it('ends as if nothing had happened after one fault, or two, wherever they strike', async () => {
    const steps = new Map([[flow, await laboratory.stepsOf(flow)]]);
    const single = trialsOf(steps, { seed: SEED, runs: 3 });
    const double = trialsOf(steps, { seed: SEED, runs: 1_000 }).filter(({ strikes }) => strikes.length === 2);
    await expectClean([...single, ...double.slice(0, 1)]);
  });

  it('is found in full by the sweep when no webhook is ever sent', async () => {
    await expectClean([{ flow, strikes: [], delivery: 'never', seed: SEED }]);
  });
});

describe('webhooks', () => {
  it.each(DELIVERIES)('%s change nothing about a recurring charge', async (delivery) => {
    await expectClean([{ flow: 'recurring charge', strikes: [], delivery, seed: SEED }]);
  });
});

describe('a connection cut during COMMIT, by a proxy', () => {
  it('of any transaction of a recurring charge does no harm', async () => {
    const flow = 'recurring charge';
    const steps = await laboratory.stepsOf(flow);
    const commits = steps.flatMap((step, number) => (step.kind === 'commit' ? [number] : []));
    expect(commits.length).toBeGreaterThan(4);
    await expectClean(
      commits.map((step) => ({ flow, strikes: [{ step, act: 'cut_after' }], delivery: 'in_order', seed: SEED })),
    );
  });
});

describe('the matrix itself', () => {
  it('sees money that nobody booked, and money that nobody paid', async () => {
    const { faults } = await laboratory.run({ flow: harm.name, strikes: [], delivery: 'in_order', seed: SEED });
    expect(faults).toEqual([
      expect.stringMatching(/^lost payment: ch_\w+ of 14900/),
      expect.stringMatching(/^lost payment: ch_\w+ of 39900/),
      expect.stringMatching(/^never paid: pi_of_nobody_/),
      expect.stringMatching(/^never paid: pi_of_nobody_/),
    ]);
  });

  it('sees an invoice that was charged twice', () => {
    const charge = {
      id: 'ch_1',
      amount: 14900,
      amount_refunded: 0,
      payment_intent: 'pi_1',
      metadata: { invoice_id: 'i' },
    };
    expect(doubleCharges([charge])).toEqual([]);
    expect(doubleCharges([charge, { ...charge, id: 'ch_2' }])).toEqual([
      'double charge: i has ch_1 of 14900, ch_2 of 14900',
    ]);
  });
});
