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
const LIVE_PREFIX = 'dd_live_';

/** At the first start there is nobody to make the first tenant, so the server does. */
@Injectable()
export class Bootstrap {
  constructor(
    private readonly orm: MikroORM,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * Makes a tenant with a development and a production environment where there is none, and sees that
   * `BOOTSTRAP_API_KEY`, if set, opens the production environment when it begins with `dd_live_`, else the development
   * environment (a key that was revoked stays revoked).
   * @returns a generated development key, to be shown once; null when none was made.
   */
  async ensureTenant(): Promise<string | null> {
    return this.orm.em.fork().transactional(async (em) => {
      const manager = em as EntityManager;
      await sql`select pg_advisory_xact_lock(hashtextextended(${BOOTSTRAP_LOCK}, 0))`.execute(em.getKysely() as Sql);
      const isNew = (await em.count(Tenant)) === 0;
      if (isNew) this.makeTenant(manager);
      await em.flush();
      const wanted = this.settings.BOOTSTRAP_API_KEY;
      if (!wanted && !isNew) return null;
      const type = wanted?.startsWith(LIVE_PREFIX) ? 'production' : 'development';
      const environment = await em.findOneOrFail(Environment, { type }, { orderBy: { createdAt: 'asc', id: 'asc' } });
      if (!wanted) return ApiKeys.issue(manager, environment, 'bootstrap');
      if (!(await ApiKeys.exists(manager, wanted))) ApiKeys.issue(manager, environment, 'bootstrap', wanted);
      return null;
    });
  }

  private makeTenant(em: EntityManager): void {
    const at = { createdAt: realTime(), updatedAt: realTime() };
    const tenant = em.create(Tenant, { id: newId('tenant'), name: 'Default', metadata: {}, ...at });
    for (const type of ['development', 'production'] as const) {
      em.create(Environment, { id: newId('env'), tenantId: tenant.id, name: type, type, ...at });
    }
  }
}
