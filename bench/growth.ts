import type { BenchDatabase } from './database.js';
import { drive, type LoadResult } from './load.js';
import { bulk, Product } from './product.js';
import { table, type Cell, type Report } from './report.js';
import { usageOf } from './usage.js';

const CUSTOMERS = 500;
const BULK = 100;
const FIRST = 10_000;
const FILLING_SECONDS = 2;

/** Whether an event, a balance and a list of events cost the same however many events are stored. */
export async function growth(
  database: BenchDatabase,
  { events, seconds }: { events: number; seconds: number },
): Promise<Report> {
  const drawdown = await Product.start(await database.fresh('bench_growth'));
  const seeded = await drawdown.subscribers(CUSTOMERS);
  const walletIds = await drawdown.giveCredits(seeded);
  const next = usageOf(seeded.customers);
  let stored = 0;
  const report = bulk(() => {
    stored++;
    return next();
  }, BULK);
  const burn = async (duration: number): Promise<LoadResult> => {
    const options = { connections: 8, seconds: duration, unitsPerCall: BULK };
    const result = await drive(drawdown.target, options, report);
    if (result.refused > 0) throw new Error(`${result.refused} requests were refused`);
    return result;
  };
  const rows: Cell[][] = [];
  for (let goal = FIRST; goal <= events; goal *= 10) {
    while (stored < goal) await burn(FILLING_SECONDS);
    const before = stored;
    const burnt = await burn(seconds);
    let turn = 0;
    const balance = await drive(drawdown.target, { connections: 8, seconds }, () => ({
      method: 'GET',
      path: `/v1/wallets/${walletIds[turn++ % walletIds.length]}/balance/real-time`,
    }));
    rows.push([
      before.toLocaleString('en-US'),
      burnt.perSecond,
      1_000_000 / burnt.perSecond,
      burnt.p99,
      balance.p50,
      balance.p99,
    ]);
  }
  await drawdown.server.stop();
  return {
    title: 'Growth',
    lines: [
      table(['events stored', 'events/s', 'µs an event', 'p99 ms of 100', 'balance p50 ms', 'balance p99 ms'], rows),
    ],
  };
}
