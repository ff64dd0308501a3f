import { beforeAll, describe, expect, it } from '@jest/globals';
import { Agenda, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { startModules, type Modules } from '../../support/modules.js';

describe('statements that are planned once', () => {
  let modules: Modules;

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  });

  const planMode = async (tx: Tx): Promise<string> => {
    const found = await sql<{ mode: string }>`select current_setting('plan_cache_mode') as mode`.execute(tx.db);
    return found.rows[0]!.mode;
  };

  it('are those of the hot path, and of no transaction after it on the same connection', async () => {
    for (let n = 0; n < 10; n++) {
      expect(await modules.get(Agenda).runCurrent(modules.scope, planMode)).toBe('force_generic_plan');
      expect(await modules.run(planMode)).toBe('auto');
    }
  });

  it('are no longer, when others have something to do before the commit', async () => {
    const modes: string[] = [];
    await modules.get(Agenda).runCurrent(modules.scope, async (tx) => {
      tx.beforeCommit(async () => void modes.push(await planMode(tx)));
      modes.push(await planMode(tx));
    });
    expect(modes).toEqual(['force_generic_plan', 'auto']);
  });
});
