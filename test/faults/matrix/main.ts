// npm run faults -- [--seed n] [--runs n] [--flow name] [--point text] [--workers n] [--again json]
import { ensurePostgres } from '@drawdown/platform';
import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Step } from './fail-points.js';
import { flows } from './flows/index.js';
import type { Outcome, Trial } from './laboratory.js';
import { trialsOf } from './plan.js';
import { failureOf, isClean, tableOf, verdictOf } from './report.js';
import { Workers } from './workers.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    runs: { type: 'string', default: '0' },
    flow: { type: 'string' },
    point: { type: 'string' },
    workers: { type: 'string', default: String(Math.min(availableParallelism(), 4)) },
    again: { type: 'string' },
  },
});

const wanted = flows.map(({ name }) => name).filter((name) => !values.flow || name === values.flow);
if (wanted.length === 0)
  throw new Error(`no flow ${values.flow}; there are: ${flows.map(({ name }) => name).join(', ')}`);

const build = keepBuild();
const postgres = await ensurePostgres({ dir: '.data/faults/postgres', database: 'postgres', fast: true });
const workers = await Workers.start(Number(values.workers), [postgres.base, build]);
const began = performance.now();
// What is done by then is told.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => workers.finish());
try {
  const outcomes = await workers.runAll(await trials(), progress);
  const failures = outcomes.filter((outcome) => !isClean(outcome));
  for (const failure of failures) console.log(`\n${failureOf(failure)}`);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${tableOf(outcomes)}\n\nseed ${values.seed}, ${minutes} minutes, ${values.workers} workers`);
  console.log(verdictOf(outcomes));
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  await workers.stop();
  await postgres.stopIfIdle();
  fs.rmSync(build, { recursive: true });
}

/** A copy, so that a build made meanwhile doesn't change what is tried. @returns its folder. */
function keepBuild(): string {
  const folder = path.resolve(`.data/faults/build-${process.pid}`);
  fs.cpSync('dist', folder, { recursive: true });
  return folder;
}

async function trials(): Promise<Trial[]> {
  if (values.again) return [{ flow: wanted[0]!, ...(JSON.parse(values.again) as Omit<Trial, 'flow'>) }];
  const steps = new Map<string, readonly Step[]>();
  for (const flow of wanted) steps.set(flow, await workers.ask<readonly Step[]>({ stepsOf: flow }));
  return trialsOf(steps, { seed: Number(values.seed), runs: Number(values.runs), point: values.point });
}

function progress(done: number, of: number, outcome: Outcome): void {
  if (values.again) console.log(outcome.steps.map(({ kind, label }, i) => `${i} ${kind} ${label}`).join('\n'));
  if (!isClean(outcome)) console.log(`FAILED ${failureOf(outcome)}`);
  if (done % 50 === 0 || done === of)
    console.log(`${done} of ${of}, ${Math.round((performance.now() - began) / 1000)} s`);
}
