import { SETTINGS, type Settings, type Sql } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { sql } from 'kysely';
import { Collection } from './collection.service.js';
import { Refunding } from './refunding.service.js';

const LOOK_MS = 300_000;
const AT_ONCE = 50;

interface Open {
  kind: 'attempt' | 'refund';
  id: string;
  tenant_id: string;
  environment_id: string;
}

/**
 * Asking the gateway again is transport, which goes by real time (MEANING "Time"). `payment.retry` and `refund.retry`
 * go by the environment's clock, so where that stands an answer that was lost would be lost until it is moved: here what
 * stays open from one look to the next is asked about.
 */
@Injectable()
export class StandingClockJobs {
  private readonly log = new Logger(StandingClockJobs.name);
  private seen = new Set<string>();

  constructor(
    private readonly orm: MikroORM,
    private readonly collection: Collection,
    private readonly refunding: Refunding,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Interval(LOOK_MS)
  async tick(): Promise<void> {
    if (this.settings.ROLE === 'api') return;
    await this.look().catch((error: Error) => this.log.error(error.stack));
  }

  /** What was open at the last look already is asked about; what is new may just be under way. */
  async look(): Promise<void> {
    const before = this.seen;
    const open = await this.open();
    this.seen = new Set(open.map(({ id }) => id));
    for (const one of open.filter(({ id }) => before.has(id))) await this.ask(one);
  }

  private async ask({ kind, id, tenant_id: tenantId, environment_id: environmentId }: Open): Promise<void> {
    const scope = { tenantId, environmentId };
    try {
      if (kind === 'attempt') await this.collection.carryOn(scope, id);
      else await this.refunding.carryOn(scope, id);
    } catch (error) {
      this.log.warn(`${kind} ${id} is still open: ${(error as Error).message}`);
    }
  }

  private async open(): Promise<Open[]> {
    const found = await sql<Open>`
      select 'attempt' kind, a.id, a.tenant_id, a.environment_id
      from payment_attempt a join environment e on e.id = a.environment_id
      where e.clock_at is not null and a.state in ('created', 'sent', 'unknown')
      union all
      select 'refund', r.id, r.tenant_id, r.environment_id
      from refund r join environment e on e.id = r.environment_id
      where e.clock_at is not null and r.state in ('created', 'sent', 'unknown')
      limit ${AT_ONCE}`.execute(this.orm.em.fork().getKysely() as Sql);
    return found.rows;
  }
}
