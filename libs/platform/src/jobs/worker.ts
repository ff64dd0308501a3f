import { MikroORM } from '@mikro-orm/postgresql';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { sql } from 'kysely';
import { realTime } from '../clock/real-time.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { Sql } from '../database/transactions.js';
import { Outbox } from '../events/outbox.js';
import { Agenda } from './agenda.js';

const TICK_MS = 1_000;

/** The background half of the process: delivers the outbox and does due work, unless the process is only an `api`. */
@Injectable()
export class Worker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger(Worker.name);
  private stopping = false;
  private readonly running = new Set<Promise<void>>();
  private deliveryAsked = false;
  private delivering = false;
  private working = false;

  constructor(
    private readonly orm: MikroORM,
    private readonly outbox: Outbox,
    private readonly agenda: Agenda,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.ROLE === 'api') return;
    this.outbox.onWake(() => this.track(this.deliver()));
  }

  /** Finishes what is in hand; nothing new is begun. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled(this.running);
  }

  @Interval(TICK_MS)
  tick(): void {
    if (this.stopping || this.settings.ROLE === 'api') return;
    this.track(this.deliver());
    this.track(this.workThrough());
  }

  private track(work: Promise<void>): void {
    const tracked = work
      .catch((error: Error) => this.log.error(error.stack))
      .finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  private async deliver(): Promise<void> {
    this.deliveryAsked = true;
    if (this.delivering || this.stopping) return;
    this.delivering = true;
    try {
      while (this.deliveryAsked && !this.stopping) {
        this.deliveryAsked = false;
        while (!this.stopping && (await this.outbox.deliverBatch()));
      }
    } finally {
      this.delivering = false;
    }
  }

  /** One pass over the environments in which something is due by their own clock. */
  private async workThrough(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      const now = realTime();
      const due = await sql<{ tenant_id: string; id: string; now: string }>`
        select e.tenant_id, e.id, coalesce(e.clock_at, ${now}) now from environment e
        where exists (select from due_work w where w.environment_id = e.id and w.due_at <= coalesce(e.clock_at, ${now}))`.execute(
        this.orm.em.fork().getKysely() as Sql,
      );
      for (const environment of due.rows) {
        const scope = { tenantId: environment.tenant_id, environmentId: environment.id };
        await this.agenda.runDue(scope, new Date(environment.now), () => this.stopping);
      }
    } finally {
      this.working = false;
    }
  }
}
