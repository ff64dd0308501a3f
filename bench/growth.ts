import { asked, askingCalls } from './asking.js';
import type { BenchDatabase } from './database.js';
import { drive, type LoadResult } from './load.js';
import { bulk, Product } from './product.js';
import { table, type Cell, type Report } from './report.js';
import { usageOf } from './usage.js';

const CUSTOMERS = 500;
const BULK = 100;
const FIRST = 10_000;
const FILLING_SECONDS = 2;
const FILLING_CONNECTIONS = 32;
const MEASURED_CONNECTIONS = 8;

/** Whether an event, a balance and an entitlement check cost the same however many events are stored. */
export async function growth(
  database: BenchDatabase,
  { events, seconds }: { events: number; seconds: number },
): Promise<Report> {
  const drawdown = await Product.start(await database.fresh('bench_growth'));
  const seeded = await drawdown.subscribers(CUSTOMERS);
  const calls = askingCalls(seeded, await drawdown.giveCredits(seeded));
  const ofMany = usageOf(seeded.customers);
  const ofEach = seeded.customers.map((customer) => bulk(usageOf([customer]), BULK));
  let turn = 0;
  let stored = 0;
  const burn = async (connections: number, duration: number, next: ReturnType<typeof bulk>): Promise<LoadResult> => {
    const counted = () => {
      stored += BULK;
      return next();
    };
    const result = await drive(drawdown.target, { connections, seconds: duration, unitsPerCall: BULK }, counted);
    if (result.refused > 0) throw new Error(`${result.refused} requests were refused`);
    return result;
  };
  const fill = () => ofEach[turn++ % ofEach.length]!();
  const atHalf = async (call: Parameters<typeof asked>[1]): Promise<LoadResult> => {
    const [, half] = await asked(drawdown.target, call, seconds);
    return half!.result;
  };
  const rows: Cell[][] = [];
  for (let goal = FIRST; goal <= events; goal *= 10) {
    while (stored < goal) await burn(FILLING_CONNECTIONS, FILLING_SECONDS, fill);
    const before = stored;
    const burnt = await burn(MEASURED_CONNECTIONS, seconds, bulk(ofMany, BULK));
    const balance = await atHalf({ balance: calls['balance of a wallet'] });
    const entitlements = await atHalf({ entitlements: calls['entitlements of a customer'] });
    rows.push([
      before.toLocaleString('en-US'),
      burnt.perSecond,
      1_000_000 / burnt.perSecond,
      burnt.p99,
      balance.p50,
      balance.p99,
      entitlements.p50,
      entitlements.p99,
    ]);
  }
  await drawdown.server.stop();
  const head = ['events stored', 'events/s', 'µs an event', 'p99 ms of 100'];
  for (const read of ['balance', 'entitlements']) head.push(`${read} p50 ms`, `${read} p99 ms`);
  return {
    title: 'Growth',
    lines: [table(head, rows), '\nBalances and entitlements at half of the rate they reach.'],
  };
}
