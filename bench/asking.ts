import { queryOnce, type BenchDatabase } from './database.js';
import { drive, type Call, type LoadResult, type Target } from './load.js';
import { call, Product, type Seeded } from './product.js';
import { table, type Cell, type Report } from './report.js';

const CUSTOMERS = 500;
const CONNECTIONS = 32;

export interface AskedLine {
  readonly name: string;
  readonly connections: number;
  readonly result: LoadResult;
}

/** Only what is asked, not what is reported: authorizations and reads, of a database without events. */
export async function reads(database: BenchDatabase, { seconds }: { seconds: number }): Promise<Report> {
  const url = await database.fresh('bench_reads');
  const drawdown = await Product.start(url);
  const seeded = await drawdown.subscribers(CUSTOMERS);
  const walletIds = await drawdown.giveCredits(seeded);
  const lines = await asked(drawdown.target, askingCalls(seeded, walletIds), seconds);
  await drawdown.server.stop();
  const rows = lines.map(({ name, connections, result }): Cell[] => [
    name,
    String(connections),
    result.perSecond,
    result.p50,
    result.p99,
    String(result.refused),
  ]);
  return {
    title: 'Reads and authorizations',
    lines: [
      table(['what', 'connections', 'per second', 'p50 ms', 'p99 ms', 'refused'], rows),
      `\n${await checkedHolds(url)}`,
    ],
  };
}

/** Each as fast as it goes, and at half of that rate: there a single answer's time is what a customer waits for. */
export async function asked(
  target: Target,
  calls: Readonly<Record<string, () => Call>>,
  seconds: number,
): Promise<AskedLine[]> {
  const lines: AskedLine[] = [];
  for (const [name, nextCall] of Object.entries(calls)) {
    const connections = CONNECTIONS;
    const most = await drive(target, { connections, seconds }, nextCall);
    const half = await drive(target, { connections, seconds, pace: most.perSecond / 2 }, nextCall);
    lines.push({ name, connections, result: most });
    lines.push({ name: `${name}, at half of that rate`, connections, result: half });
  }
  return lines;
}

/** What is asked, of these customers in turn. */
export function askingCalls({ customers, customerIds }: Seeded, walletIds: readonly string[]) {
  let next = 0;
  const of = (ids: readonly string[]) => ids[next++ % ids.length]!;
  const use = { event_name: 'contact_enrich', properties: { rows: '2' }, expires_in_seconds: 60 };
  const get = (path: string): Call => ({ method: 'GET', path: `/v1${path}` });
  return {
    'balance of a wallet': () => get(`/wallets/${of(walletIds)}/balance/real-time`),
    'a wallet': () => get(`/wallets/${of(walletIds)}`),
    'entitlements of a customer': () => get(`/customers/${of(customerIds)}/entitlements`),
    'usage of a customer': () => get(`/customers/usage?customer_id=${of(customerIds)}`),
    // The last: its holds expire while whatever comes after it is measured.
    'authorize with hold': () => call('/credits/authorize', { external_customer_id: of(customers), ...use }),
  };
}

/** What lots hold back is what their open holds keep, or the run fails. */
async function checkedHolds(url: string): Promise<string> {
  const [row] = await queryOnce<{ holds: string; held: string; kept: string; wrong: string }>(
    url,
    `with kept as (
       select p.lot_id, sum(p.credits) credits from hold h join hold_lot p on p.hold_id = h.id
       where h.status = 'open' group by p.lot_id)
     select (select count(*) from hold) holds, sum(l.held) held, coalesce(sum(k.credits), 0) kept,
            count(*) filter (where l.held <> coalesce(k.credits, 0)) wrong
     from lot l left join kept k on k.lot_id = l.id`,
  );
  if (row!.wrong !== '0') throw new Error(`lots hold ${row!.held}, open holds keep ${row!.kept}`);
  return `Checked after the run: of ${Number(row!.holds).toLocaleString('en-US')} holds made, the open ones keep what the lots hold back.`;
}
