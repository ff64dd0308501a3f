import { beforeAll, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { startPlayground, type ServerProcess } from '../support/processes.js';
import { defineStarter } from '../../apps/demo/src/starter-plan.js';

/**
 * The same events three times, at once, in batches cut and mixed at random, to two server processes, one of which is
 * killed and started again on the way: the state of once. By hand: `DUPLICATE_EVENTS=100000`.
 */
const EVENTS = Number(process.env.DUPLICATE_EVENTS ?? 10_000);
const TIMES = 3;
const CUSTOMERS = 20;
const CONNECTIONS = 12;
const LARGEST_BATCH = 1_000;

interface Event {
  readonly event_id: string;
  readonly event_name: string;
  readonly external_customer_id: string;
  readonly timestamp: string;
  readonly properties: Readonly<Record<string, string>>;
}
interface Result {
  readonly event_id: string;
  readonly status: string;
  readonly credits_burned: string;
}

let playground: Awaited<ReturnType<typeof startPlayground>>;
let servers: ServerProcess[];

beforeAll(async () => {
  playground = await startPlayground();
  servers = [await playground.start({ ROLE: 'api' }), await playground.start({ ROLE: 'api' })];
  await playground.query(`update environment set clock_at = '2026-01-10T09:00:00Z' where type = 'development'`);
  const { planId } = await defineStarter((path, body) => made(path, body), 'duplicates');
  for (let n = 0; n < CUSTOMERS; n++) await subscriber(`once-${n}`, planId);
  for (let n = 0; n < CUSTOMERS; n++) await subscriber(`thrice-${n}`, planId);
  await playground.query(`update environment set clock_at = '2026-01-10T12:00:00Z' where type = 'development'`);
}, 120_000);

it(
  `${EVENTS} events sent ${TIMES} times concurrently give the state of once`,
  async () => {
    const from = performance.now();
    for (const batch of batches(eventsOf('once'))) await send(batch, 0);
    const batchesOfAll = Array.from({ length: TIMES }, () => batches(shuffled(eventsOf('thrice')))).flat();
    const waiting = shuffled(batchesOfAll);
    const accepted = new Map<string, number>();
    let sent = 0;
    const restarting = { done: false };
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, connection) => {
        for (let batch = waiting.pop(); batch; batch = waiting.pop()) {
          if (++sent > batchesOfAll.length / 2 && !restarting.done) await restart(restarting);
          for (const { event_id: id, status } of await send(batch, connection)) {
            if (status === 'accepted') accepted.set(id, (accepted.get(id) ?? 0) + 1);
          }
        }
      }),
    );
    expect([...accepted.values()].every((times) => times === 1)).toBe(true);
    expect(await stateOf('thrice')).toEqual(await stateOf('once'));
    expect(playground.audit()).toContain('invariants hold');
    console.info(`${EVENTS} events once and ${TIMES} times: ${((performance.now() - from) / 1000).toFixed(0)} seconds`);
  },
  120_000 + EVENTS * 30,
);

/** Tables and rows of all customers in turn; corrections too, so that the order of arrival moves credits back and forth. */
function eventsOf(group: string): Event[] {
  return Array.from({ length: EVENTS }, (_, n): Event => {
    const common = {
      event_id: `${group}-${n}`,
      external_customer_id: `${group}-${n % CUSTOMERS}`,
      timestamp: `2026-01-10T1${n % 2}:${String(10 + (n % 50))}:00Z`,
    };
    const turn = Math.floor(n / CUSTOMERS) % 10;
    if (turn === 0) return { ...common, event_name: 'table_create', properties: { status: 'success' } };
    const rows = turn === 1 ? '-0.5' : '0.25';
    return { ...common, event_name: 'contact_enrich', properties: { rows } };
  });
}

function batches(events: readonly Event[]): Event[][] {
  const cut: Event[][] = [];
  for (let from = 0; from < events.length;) {
    const size = 1 + randomInt(LARGEST_BATCH);
    cut.push(events.slice(from, (from += size)));
  }
  return cut;
}

function shuffled<T>(list: readonly T[]): T[] {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
}

/** Until it is answered: by the other process when one is gone. */
async function send(events: readonly Event[], connection: number): Promise<readonly Result[]> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const server = servers[(connection + attempt) % servers.length]!;
    const answer = await server.post('/events/bulk', { events }).catch(() => null);
    if (answer?.status === 202) return answer.body.results as Result[];
    if (answer && answer.status < 500) throw new Error(`${answer.status} ${answer.text}`);
  }
  throw new Error('a batch was never answered');
}

async function restart(restarting: { done: boolean }): Promise<void> {
  restarting.done = true;
  const [survivor, killed] = servers as [ServerProcess, ServerProcess];
  servers = [survivor];
  await killed.kill();
  servers = [survivor, await playground.start({ ROLE: 'api' })];
}

/** What does not depend on the order of arrival: units, money, credits; one row for each customer and kind of usage. */
function stateOf(group: string) {
  return playground.query(
    `select split_part(c.external_id, '-', 2)::int customer, i.display_name item, a.events::int events, a.quantity, a.free,
            a.accrued, a.covered, a.shortfall, a.waived, a.credits,
            (select count(*)::int from usage_event e where e.customer_id = c.id) stored,
            (select sum(credits_burned) from usage_event e where e.customer_id = c.id) burned,
            (select sum(credits) from ledger_entry l where l.customer_id = c.id) ledger,
            (select sum(credit_balance) from wallet w where w.customer_id = c.id) balance
     from accrual a join customer c on c.id = a.customer_id join subscription_line_item i on i.id = a.line_item_id
     where c.external_id like $1 order by 1, 2`,
    [`${group}-%`],
  );
}

async function subscriber(externalId: string, planId: string): Promise<void> {
  const { id } = await made('/customers', { external_id: externalId });
  await made('/wallets', { customer_id: id, currency: 'usd', initial_credits_to_load: '1000000' });
  await made('/subscriptions', {
    customer_id: id,
    plan_id: planId,
    currency: 'usd',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    billing_cycle: 'anniversary',
  });
}

async function made(path: string, body: object): Promise<{ id: string; meter_id: string }> {
  const answer = await servers[0]!.post(path, body);
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.body as { id: string; meter_id: string };
}
