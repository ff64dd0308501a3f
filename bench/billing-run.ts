import type { BenchDatabase } from './database.js';
import { queryOnce } from './database.js';
import { sendAll } from './load.js';
import { call, Product } from './product.js';
import { table, type Report } from './report.js';
import { usageOf } from './usage.js';
import { performance } from 'node:perf_hooks';

const START = Date.UTC(2030, 0, 10, 9);
const DAY_MS = 24 * 60 * 60_000;
const TRIAL_DAYS = 14;
const HOUR_MS = 60 * 60_000;
const USAGE_PER_CUSTOMER = 2;

interface Advanced {
  readonly happened_total: number;
}

/**
 * Every subscription's trial ends at the same instant: usage closed, period opened, credits granted, fee and usage
 * drafted; an hour later finalized, numbered and sent to be paid. One call of `clock/advance` does all of it, helped by
 * the workers of the other processes.
 */
export async function billingRun(
  database: BenchDatabase,
  { customers, processes }: { readonly customers: number; readonly processes: number },
): Promise<Report> {
  const url = await database.fresh('bench_billing');
  const drawdown = await Product.start(url);
  const workers: Product[] = [];
  while (workers.length < processes - 1) workers.push(await Product.start(url, drawdown.worker()));
  await drawdown.post('/clock/advance', { to: new Date(START).toISOString() });
  const { customers: names } = await drawdown.subscribers(customers);
  const next = usageOf(names, () => new Date(START));
  const batches = Array.from({ length: Math.ceil((customers * USAGE_PER_CUSTOMER) / 100) }, () =>
    call('/events/bulk', { events: Array.from({ length: 100 }, next) }),
  );
  await sendAll(drawdown.target, 8, batches);
  await queryOnce(url, 'analyze');
  const before = drawdown.server.memory();
  const begin = performance.now();
  const to = new Date(START + TRIAL_DAYS * DAY_MS + 2 * HOUR_MS).toISOString();
  const { happened_total } = await drawdown.post<Advanced>('/clock/advance', { to });
  const seconds = (performance.now() - begin) / 1000;
  const after = drawdown.server.memory();
  const of = { invoice_status: ['FINALIZED'], limit: 1, skip_line_items: true };
  const { pagination } = await drawdown.post<{ pagination: { total: number } }>('/invoices/search', of);
  for (const { server } of [...workers, drawdown]) await server.stop();
  const finalized = pagination.total;
  if (finalized !== customers) throw new Error(`${finalized} invoices of ${customers} were finalized`);
  return {
    title: `Billing run of ${customers.toLocaleString('en-US')} subscriptions`,
    lines: [
      table(
        ['subscriptions', 'processes', 'seconds', 'a second', 'events', 'memory before, MB', 'peak, MB'],
        [
          [
            String(customers),
            String(processes),
            seconds,
            customers / seconds,
            happened_total,
            before?.now ?? null,
            after?.peak ?? null,
          ],
        ],
      ),
    ],
  };
}
