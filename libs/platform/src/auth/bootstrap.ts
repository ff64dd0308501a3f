import { MikroORM, type EntityManager } from '@mikro-orm/postgresql';
import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { realTime } from '../clock/real-time.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { newId } from '../database/new-id.js';
import type { Sql } from '../database/transactions.js';
import { ApiKeys } from './api-keys.js';
import { Environment, Tenant } from './environment.entity.js';

const BOOTSTRAP_LOCK = 'drawdown bootstrap';

/** At the first start there is nobody to make the first tenant, so the server does. */
@Injectable()
export class Bootstrap {
  constructor(
    private readonly orm: MikroORM,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * Makes a tenant with a development and a production environment where there is none.
   * @returns the generated development key (to be shown once), or null when nothing was made or the operator chose it.
   */
  async ensureTenant(): Promise<string | null> {
    return this.orm.em.fork().transactional(async (em) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${BOOTSTRAP_LOCK}, 0))`.execute(em.getKysely() as Sql);
      if ((await em.count(Tenant)) > 0) return null;
      const key = this.makeTenant(em as EntityManager);
      return this.settings.BOOTSTRAP_API_KEY ? null : key;
    });
  }

  private makeTenant(em: EntityManager): string {
    const at = { createdAt: realTime(), updatedAt: realTime() };
    const tenant = em.create(Tenant, { id: newId('tenant'), name: 'Default', ...at });
    const [development] = (['development', 'production'] as const).map((type) =>
      em.create(Environment, { id: newId('env'), tenantId: tenant.id, name: type, type, ...at }),
    );
    return ApiKeys.issue(em, development!, 'bootstrap', this.settings.BOOTSTRAP_API_KEY);
  }
}
