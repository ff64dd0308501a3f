import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPlayground, startProcess, type ServerProcess } from '../support/processes.js';
import { Shop, until } from './shop.js';

const CUSTOMERS = 8;
const BILLED = '2026-02-10T10:30:00Z';
const LATER = '2026-02-10T12:30:00Z';

/** One server with a database and a sandbox of its own, as `npm start` brings them, all real processes. */
class Estate {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-outage-'));
  private env: Record<string, string>;
  server: ServerProcess;
  shop: Shop;

  async start(): Promise<void> {
    fs.chmodSync(this.dir, 0o755);
    const [pgPort, sandboxPort, controlPort] = await freePorts();
    this.env = {
      EMBEDDED_PG_DIR: path.join(this.dir, 'postgres'),
      EMBEDDED_PG_PORT: String(pgPort),
      STRIPE_SANDBOX_PORT: String(sandboxPort),
      STRIPE_SANDBOX_CONTROL_PORT: String(controlPort),
      STRIPE_SANDBOX_DIR: path.join(this.dir, 'sandbox'),
      LOG_LEVEL: 'fatal',
    };
    this.server = await startProcess(this.env, { without: ['DATABASE_URL', 'STRIPE_SECRET_KEY'] });
    const password = fs.readFileSync(path.join(this.dir, 'postgres/password'), 'utf8').trim();
    this.shop = new Shop({
      databaseUrl: `postgresql://postgres:${password}@127.0.0.1:${pgPort}/drawdown`,
      controlUrl: `http://127.0.0.1:${controlPort}`,
    });
    await this.shop.open(this.server, CUSTOMERS);
    await this.shop.advance(this.server, '2026-01-10T10:30:00Z');
    await this.shop.expectPaidOnce(CUSTOMERS);
  }

  get postmaster(): number {
    return Number(fs.readFileSync(path.join(this.dir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** Starts the database again, as an operator would: what `-m immediate` left is recovered from its log. */
  async restartDatabase(): Promise<void> {
    const { ensurePostgres } = await import('@drawdown/platform');
    const { EMBEDDED_PG_DIR: dir, EMBEDDED_PG_PORT: port } = this.env;
    await ensurePostgres({ dir: dir!, database: 'drawdown', port: Number(port) });
  }

  audit(): string {
    return execFileSync(process.execPath, ['apps/start.mjs', 'server/audit'], {
      cwd: path.resolve(import.meta.dirname, '../..'),
      env: { PATH: process.env.PATH!, ...this.env },
      encoding: 'utf8',
    });
  }

  async end(): Promise<void> {
    await this.server?.stop();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

describe('in the middle of a billing run', () => {
  let estate: Estate;
  beforeAll(async () => {
    estate = new Estate();
    await estate.start();
  }, 180_000);
  afterAll(() => estate.end());

  /** A billing run, something that happens in its middle, and the run called again until it has worked. */
  async function billWhile(to: string, happens: () => Promise<void>): Promise<void> {
    const broken = estate.server.post('/clock/advance', { to }).then(
      ({ status }) => status,
      () => 0,
    );
    await sleep(250);
    await happens();
    await broken;
    await estate.shop.advance(estate.server, to);
  }

  it('the sandbox is killed: its server starts it again, and each invoice is charged once', async () => {
    const { pid } = await estate.shop.control<{ pid: number }>('/health');
    await billWhile(BILLED, async () => {
      process.kill(pid, 'SIGKILL');
      await until('another sandbox', async () => (await estate.shop.control<{ pid: number }>('/health')).pid !== pid);
    });
    await estate.shop.advance(estate.server, LATER);
    await estate.shop.expectPaidOnce(CUSTOMERS * 2);
    expect(estate.audit()).toContain('invariants hold');
  });

  it('the database is ended as by `pg_ctl -m immediate` and started: each invoice is charged once', async () => {
    await billWhile('2026-03-10T10:30:00Z', async () => {
      process.kill(estate.postmaster, 'SIGQUIT');
      await until('the end of the database', () =>
        estate.shop.query('select 1').then(
          () => false,
          () => true,
        ),
      );
      await estate.restartDatabase();
    });
    await estate.shop.advance(estate.server, '2026-03-10T12:30:00Z');
    await estate.shop.expectPaidOnce(CUSTOMERS * 3);
    expect(estate.audit()).toContain('invariants hold');
  });
});

describe('three server processes', () => {
  it('bill and charge each customer once, by their schedulers alone', async () => {
    const playground = await startPlayground();
    const shop = new Shop({ databaseUrl: process.env.TEST_DATABASE!, controlUrl: playground.sandbox.controlUrl });
    const servers = [await playground.start(), await playground.start(), await playground.start()];
    await shop.open(servers[0]!, CUSTOMERS);
    for (const at of ['2026-02-10T09:30:00Z', LATER]) {
      await shop.setClock(at);
      await until('everything due and told', async () => {
        const [left] = await shop.query<{ n: number }>(`
          select (select count(*) from due_work w join environment e on e.id = w.environment_id where w.due_at <= e.clock_at)::int
               + (select count(*) from outbox_delivery where status = 'pending')::int n`);
        return left!.n === 0;
      });
    }
    await shop.expectPaidOnce(CUSTOMERS * 2);
    await Promise.all(servers.map((server) => server.stop()));
    expect(playground.audit()).toContain('invariants hold');
  });
});

/** A free port for the database and two in a row for the sandbox. */
async function freePorts(): Promise<[number, number, number]> {
  const take = () =>
    new Promise<net.Server>((resolve) => {
      const server = net.createServer().listen(0, '127.0.0.1', () => resolve(server));
    });
  const servers = [await take(), await take(), await take()] as const;
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port) as [number, number, number];
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
