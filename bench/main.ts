// npm run bench -- [reads | billing-run | growth | webhooks] [--seconds n] [--customers n] [--processes n] [--events n] [--write]
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { reads } from './asking.js';
import { BenchDatabase } from './database.js';
import { billingRun } from './billing-run.js';
import { growth } from './growth.js';
import { hotPath } from './hot-path.js';
import { publish, type Report } from './report.js';
import { webhooks } from './webhooks.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '4' },
    customers: { type: 'string', default: '10000' },
    // As one runs it: a process for each core.
    processes: { type: 'string', default: String(availableParallelism()) },
    events: { type: 'string', default: '100000' },
    write: { type: 'boolean', default: false },
  },
});

const runs: Record<string, (database: BenchDatabase) => Promise<Report>> = {
  reads: (database) => reads(database, { seconds: Number(values.seconds) }),
  'billing-run': (database) =>
    billingRun(database, { customers: Number(values.customers), processes: Number(values.processes) }),
  growth: (database) => growth(database, { events: Number(values.events), seconds: Number(values.seconds) }),
  webhooks: (database) => webhooks(database, { seconds: Math.max(20, Number(values.seconds)) }),
  'hot-path': (database) => hotPath(database, { seconds: Number(values.seconds) }),
};

const run = runs[positionals[0] ?? 'hot-path'];
if (!run) {
  console.error(`unknown run ${positionals[0]}; there are ${Object.keys(runs).join(', ')}`);
  process.exit(1);
}
const database = await BenchDatabase.start();
try {
  publish(await run(database), await database.version(), values.write);
} finally {
  database.stop();
}
