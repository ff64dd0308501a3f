import { asked, askingCalls } from './asking.js';
import type { BenchDatabase } from './database.js';
import { queryOnce } from './database.js';
import { ceiling } from './ceiling.js';
import { drive, type LoadResult, type Target } from './load.js';
import { bulk, Product, single } from './product.js';
import { startProcess } from './processes.js';
import { table, type Cell, type Report } from './report.js';
import { usageOf } from './usage.js';

const MANY = 500;
const BULK = 100;

interface Options {
  /** Of each line, after a quarter of it to warm up. */
  readonly seconds: number;
}
interface Line {
  readonly name: string;
  readonly connections: number;
  readonly result: LoadResult;
}

/** Ceiling, baseline and product in turn, on one PostgreSQL. */
export async function hotPath(database: BenchDatabase, { seconds }: Options): Promise<Report> {
  const top = await ceilings(await database.fresh('bench_ceiling'), seconds);
  const baseline = await baselines(await database.fresh('bench_baseline'), seconds);
  const url = await database.fresh('bench_product');
  const { events, reads } = await product(url, seconds);
  const best = Math.max(...top.map(({ rows }) => rows));
  const lines = [
    ...top.map(({ name, connections, rows }): Cell[] => [name, String(connections), rows, null, null, null, null]),
    ...baseline.map((line) => row(line, best, null)),
    ...events.map((line) => row(line, best, counterpart(line, baseline))),
    ...reads.map((line) => row(line, null, null)),
  ];
  const head = ['what', 'connections', 'per second', 'p50 ms', 'p99 ms', 'of the ceiling', 'x baseline'];
  const refused = [...baseline, ...events, ...reads].filter(({ result }) => result.refused > 0);
  return {
    title: 'Hot path',
    lines: [
      table(head, lines),
      ...refused.map(({ name, connections, result }) => `\n${name}, ${connections}: ${result.refused} refused`),
      `\n${await checked(url)}`,
    ],
  };
}

async function ceilings(url: string, seconds: number) {
  const lines: { name: string; connections: number; rows: number }[] = [];
  for (const [batch, connections] of [
    [100, 8],
    [1000, 4],
  ] as const) {
    const rows = await ceiling(url, { connections, batch, seconds });
    lines.push({ name: `PostgreSQL alone: insert … select from unnest, ${batch} rows`, connections, rows });
  }
  return lines;
}

async function baselines(url: string, seconds: number): Promise<Line[]> {
  const server = await startProcess(['--import', 'tsx', 'bench/baseline-server.ts'], { DATABASE_URL: url }, '/ready');
  const lines = await eventLines({ port: server.port, headers: {} }, 'one transaction a request', seconds, [
    ['many wallets', Array.from({ length: MANY }, (_, n) => `customer-${n}`)],
    ['one hot wallet', ['customer-0']],
  ]);
  await server.stop();
  return lines;
}

async function product(url: string, seconds: number): Promise<{ events: Line[]; reads: Line[] }> {
  const drawdown = await Product.start(url);
  const seeded = await drawdown.subscribers(MANY);
  const walletIds = await drawdown.giveCredits(seeded);
  const cases = [
    ['many wallets', seeded.customers],
    ['one hot wallet', seeded.customers.slice(0, 1)],
  ] as const;
  const events = await eventLines(drawdown.target, 'Drawdown', seconds, cases);
  for (const [name, customers] of cases) {
    for (const connections of [8, 32]) {
      const next = bulk(usageOf(customers), BULK);
      const result = await drive(drawdown.target, { connections, seconds, unitsPerCall: BULK }, next);
      events.push({ name: `Drawdown, ${BULK} a request, ${name}`, connections, result });
    }
  }
  const reads = await asked(drawdown.target, askingCalls(seeded, walletIds), seconds);
  await drawdown.server.stop();
  return { events, reads };
}

async function eventLines(
  target: Target,
  name: string,
  seconds: number,
  cases: readonly (readonly [string, readonly string[]])[],
): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [which, customers] of cases) {
    for (const connections of [32, 256]) {
      const result = await drive(target, { connections, seconds }, single(usageOf(customers)));
      lines.push({ name: `${name}, ${which}`, connections, result });
    }
  }
  return lines;
}

const row = ({ name, connections, result }: Line, ceilingRows: number | null, baseline: Line | null): Cell[] => [
  name,
  String(connections),
  result.perSecond,
  result.p50,
  result.p99,
  ceilingRows && `${((100 * result.perSecond) / ceilingRows).toFixed(1)} %`,
  baseline && `${(result.perSecond / baseline.result.perSecond).toFixed(1)} x`,
];

/** The baseline's line of the same wallets and connections; a bulk request has none. */
const counterpart = (line: Line, baseline: readonly Line[]): Line | null =>
  baseline.find(
    (one) => one.connections === line.connections && one.name.split(', ')[1] === line.name.split(', ')[1],
  ) ?? null;

/** A fast answer must be a right one: every event once, and each burnt for what it costs. */
async function checked(url: string): Promise<string> {
  const [row] = await queryOnce<{ events: string; burnt: string; drawn: string }>(
    url,
    `select (select count(*) from usage_event) events, (select sum(credits_burned) from usage_event) burnt,
            (select -sum(credits) from ledger_entry where kind = 'burn') drawn`,
  );
  const [events, burnt, drawn] = [Number(row!.events), Number(row!.burnt), Number(row!.drawn)];
  if (burnt !== events * 3 || drawn !== burnt) throw new Error(`${events} events burnt ${burnt}, the ledger ${drawn}`);
  return `Checked after the run: ${events.toLocaleString('en-US')} events are stored, each burnt 3 credits, and the ledger's entries add up to them.`;
}
