import type { Scope } from '@drawdown/platform';
import { sql } from 'kysely';
import type { Modules } from './modules.js';

/** The other environment of the test's tenant: what is made there must not be found from here. */
export function productionScope(modules: Modules): Promise<Scope> {
  return modules.run(async (tx) => {
    const found = await sql<{ id: string }>`
      select id from environment where tenant_id = ${tx.scope.tenantId} and type = 'production'`.execute(tx.db);
    return { tenantId: tx.scope.tenantId, environmentId: found.rows[0]!.id };
  });
}
