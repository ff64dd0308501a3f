import { Decimal } from '@drawdown/billing-core';
import { beforeAll, it } from '@jest/globals';
import fc from 'fast-check';
import { startModules, type Modules } from '../../support/modules.js';
import { commands } from './credits-commands.js';
import { CreditsModel } from './credits-model.js';
import { CreditsWorld } from './credits-world.js';

/**
 * Any commands, in any order, do to the ledger what they do to the model. Large runs by hand:
 * `LEDGER_RUNS=200 LEDGER_COMMANDS=60`; a run again by its `LEDGER_SEED`, a failure also by its `LEDGER_PATH`.
 */
const { LEDGER_RUNS, LEDGER_COMMANDS, LEDGER_SEED, LEDGER_PATH } = process.env;
const RUNS = Number(LEDGER_RUNS ?? 12);
const COMMANDS = Number(LEDGER_COMMANDS ?? 30);
const RATES = ['1', '0.01', '3', '0.7'];

let modules: Modules;
beforeAll(async () => {
  modules = await startModules({ env: { ROLE: 'api' } });
}, 60_000);

it(
  'the model and the ledger never differ',
  async () => {
    let done = 0;
    const property = fc.asyncProperty(fc.constantFrom(...RATES), commands(COMMANDS), async (rate, list) => {
      const real = await CreditsWorld.start(modules, new Decimal(rate));
      const model = new CreditsModel(new Decimal(rate), real.tariffs);
      await fc.asyncModelRun(() => ({ model, real }), list);
      done += [...list].length;
    });
    const seed = LEDGER_SEED ? { seed: Number(LEDGER_SEED) } : {};
    const path = LEDGER_PATH ? { path: LEDGER_PATH } : {};
    const result = await fc.check(property, { numRuns: RUNS, ...seed, ...path });
    console.info(`LEDGER_SEED=${result.seed}: ${done} commands in ${result.numRuns} runs`);
    if (result.failed) throw new Error(`${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}`);
  },
  RUNS * 120_000,
);
