import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startSandbox, type RunningSandbox } from '../../../apps/stripe-sandbox/src/sandbox.js';
import { booksOf, faultsFound } from './books.js';
import { FailPoints, type Act, type Step, type Strike } from './fail-points.js';
import type { Flow } from './flow.js';
import { START } from './flows/starter.js';
import { Instance, type Surroundings } from './instance.js';
import { Random } from './random.js';
import type { ServerParts } from './server-under-test.js';
import { WebhookRelay } from './webhook-relay.js';
import { World, type Delivery } from './world.js';

/** What is done to one run of a flow. */
export interface Trial {
  readonly flow: string;
  readonly strikes: readonly Strike[];
  readonly delivery: Delivery;
  readonly seed: number;
}

export interface Outcome extends Trial {
  readonly struck: readonly { readonly step: Step; readonly act: Act }[];
  readonly steps: readonly Step[];
  /** What is wrong at the end, one line each. */
  readonly faults: readonly string[];
  readonly ms: number;
}

type Happening = (world: World) => Promise<void>;

interface Prepared {
  readonly database: string;
  readonly journal: string;
  readonly happen: Happening;
  readonly books: string;
  readonly steps: readonly Step[];
}

/** What PostgreSQL may say when it refuses: a conflict, its own failure, no room, going down. */
const REFUSALS = ['40001', 'XX000', '53100', '57P01'];
const RUN_LIMIT_MS = 120_000;

/**
 * Runs trials, each on a database and a sandbox of its own, copied from the world its flow begins in. Several
 * laboratories may work on one PostgreSQL.
 */
export class Laboratory {
  private readonly prepared = new Map<string, Prepared>();
  private databases = 0;

  private constructor(
    private readonly parts: ServerParts,
    private readonly flows: readonly Flow[],
    private readonly base: string,
    private readonly dir: string,
    private readonly relay: WebhookRelay,
    private readonly admin: pg.Client,
  ) {}

  /** @param base the PostgreSQL server, as `postgresql://user:password@host:port`. */
  static async start(parts: ServerParts, flows: readonly Flow[], base: string): Promise<Laboratory> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-faults-'));
    const admin = new pg.Client(`${base}/postgres`);
    await admin.connect();
    const laboratory = new Laboratory(parts, flows, base, dir, await WebhookRelay.start(), admin);
    await laboratory.makeEmpty();
    return laboratory;
  }

  async close(): Promise<void> {
    await this.relay.close();
    const mine = `select datname from pg_database where datname like '${this.name('')}%'`;
    for (const { datname } of (await this.admin.query<{ datname: string }>(mine)).rows) await this.drop(datname);
    await this.admin.end();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  /** The steps of a flow that nothing happens to. */
  async stepsOf(flow: string): Promise<readonly Step[]> {
    return (await this.preparedFor(flow)).steps;
  }

  async run(trial: Trial): Promise<Outcome> {
    const { database, journal, happen, books } = await this.preparedFor(trial.flow);
    return this.trial(trial, { database, journal, happen, books });
  }

  private async preparedFor(name: string): Promise<Prepared> {
    const known = this.prepared.get(name);
    if (known) return known;
    const flow = this.flowNamed(name);
    const database = await this.copy(this.name('empty'));
    const journal = path.join(this.dir, `journal-${this.databases}`);
    const happen = await this.inWorld(
      { database, journal, points: new FailPoints([]), seed: 1 },
      async (world, first) => {
        await first.registerWebhooks(this.relay.url);
        await world.control('/webhooks', { act: 'hold' });
        await world.rows(`update environment set clock_at = $1 where type = 'development'`, [START]);
        const prepared = await flow.prepare(world);
        await world.settle();
        return prepared;
      },
    );
    const undisturbed: Trial = { flow: name, strikes: [], delivery: 'in_order', seed: 1 };
    let books = '';
    const outcome = await this.trial(undisturbed, { database, journal, happen, books: null }, async (world) => {
      books = await booksOf(world);
    });
    if (outcome.faults.length > 0) throw new Error(`${name} fails undisturbed: ${outcome.faults.join('; ')}`);
    const moves = outcome.steps.some(({ kind, label }) => kind === 'call' && label.startsWith('POST'));
    if (!moves) throw new Error(`${name} moves no money`);
    const prepared = { database, journal, happen, books, steps: outcome.steps };
    this.prepared.set(name, prepared);
    return prepared;
  }

  private async trial(
    trial: Trial,
    from: Pick<Prepared, 'database' | 'journal' | 'happen'> & { readonly books: string | null },
    look: (world: World) => Promise<void> = async () => {},
  ): Promise<Outcome> {
    const began = performance.now();
    const points = new FailPoints(trial.strikes);
    const database = await this.copy(from.database);
    const copied = `${from.journal}-${database}`;
    fs.cpSync(from.journal, copied, { recursive: true });
    const work = this.inWorld({ ...trial, database, journal: copied, points }, async (world) => {
      if (trial.delivery === 'twins') await world.control('/webhooks', { act: 'twin', times: null });
      points.begin();
      await from.happen(world);
      await world.settle();
      points.end();
      await look(world);
      return faultsFound(world, from.books);
    });
    const faults = await within(RUN_LIMIT_MS, work).catch((error: Error) => [`did not end: ${told(error)}`]);
    await this.drop(database);
    fs.rmSync(copied, { recursive: true, force: true });
    return { ...trial, struck: points.struck, steps: points.steps, faults, ms: performance.now() - began };
  }

  private async inWorld<T>(
    at: { database: string; journal: string; points: FailPoints; seed: number; delivery?: Delivery },
    work: (world: World, first: Instance) => Promise<T>,
  ): Promise<T> {
    const sandbox = await startSandbox({ port: 0, controlPort: 0, dir: at.journal });
    const databaseUrl = `${this.base}/${at.database}`;
    const random = new Random(at.seed);
    const around: Surroundings = {
      databaseUrl,
      stripeUrl: sandbox.url,
      points: at.points,
      refuseWith: random.pick(REFUSALS),
      order: (fault) => ordered(sandbox, fault),
      tellEvents: () => world!.tellEvents(),
    };
    let first: Instance | null = null;
    const revive = async () => {
      const instance = await Instance.start(this.parts, around);
      first ??= instance;
      return instance;
    };
    let world: World | null = null;
    try {
      const { controlUrl } = sandbox;
      const delivery = at.delivery ?? 'in_order';
      world = await World.start({ databaseUrl, controlUrl, relay: this.relay, random, delivery, revive });
      return await work(world, first!);
    } finally {
      await world?.end();
      await sandbox.close();
    }
  }

  private async makeEmpty(): Promise<void> {
    const empty = this.name('empty');
    await this.admin.query(`create database ${empty}`);
    await this.inWorld(
      { database: empty, journal: path.join(this.dir, 'journal-empty'), points: new FailPoints([]), seed: 1 },
      async () => {},
    );
  }

  private async copy(template: string): Promise<string> {
    const name = this.name(String(++this.databases));
    for (let attempt = 0; ; attempt++) {
      try {
        await this.admin.query(`create database ${name} template ${template}`);
        return name;
      } catch (error) {
        // The last connection of its maker is just leaving.
        if (attempt === 50) throw error;
        await sleep(20);
      }
    }
  }

  private async drop(name: string): Promise<void> {
    await this.admin.query(`drop database if exists ${name} with (force)`);
  }

  private name(what: string): string {
    return `faults_${process.pid}_${what}`;
  }

  private flowNamed(name: string): Flow {
    const flow = this.flows.find((one) => one.name === name);
    if (!flow) throw new Error(`no flow ${name}; there are: ${this.flows.map((one) => one.name).join(', ')}`);
    return flow;
  }
}

async function ordered({ controlUrl }: RunningSandbox, fault: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${controlUrl}/faults`, { method: 'POST', headers, body: JSON.stringify(fault) });
  if (!answer.ok) throw new Error(`the sandbox takes no such fault: ${await answer.text()}`);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${ms} ms`)), ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

function told(error: Error): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`;
}
