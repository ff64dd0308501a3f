import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('the trial of the walk-through', () => {
  it('reads 100, 100 after five free tables, 70 after 20 rows, 70 after the same id again, 60 after the sixth table', async () => {
    const acme = await world.subscriber();
    expect(await world.balance(acme)).toBe('100');
    await world.reportAll(Array.from({ length: 5 }, () => world.table(acme)));
    expect(await world.balance(acme)).toBe('100');
    const rows = world.rows(acme, '20', { event_id: 'enrich-1' });
    expect(await world.report(rows)).toMatchObject({ status: 'accepted', credits_burned: '30' });
    expect(await world.balance(acme)).toBe('70');
    expect(await world.report(rows)).toMatchObject({ status: 'duplicate', credits_burned: '0', differs: false });
    expect(await world.balance(acme)).toBe('70');
    expect(await world.report(world.table(acme))).toMatchObject({ credits_burned: '10' });
    expect(await world.balance(acme)).toBe('60');
  });

  it('waives visibly what no credits cover, and later credits never pay it', async () => {
    const acme = await world.subscriber();
    expect((await world.report(world.rows(acme, '80'))).credits_burned).toBe('100');
    const [wallet] = await world.wallets(acme);
    const bought = { transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: '50' };
    await world.made(`/wallets/${wallet!.id}/top-up`, bought);
    expect(await world.balance(acme)).toBe('50');
    expect(await accrualsOf(acme)).toEqual([{ accrued: '120', covered: '100', shortfall: '0', waived: '20' }]);
    expect((await world.report(world.rows(acme, '-10'))).credits_burned).toBe('0');
    expect(await accrualsOf(acme)).toEqual([{ accrued: '105', covered: '100', shortfall: '0', waived: '5' }]);
  });

  it('draws only from wallets of its own currency', async () => {
    const acme = await world.customer();
    const euros = { external_customer_id: acme, currency: 'eur', initial_credits_to_load: '1000' };
    const { id } = await world.made('/wallets', euros);
    await world.subscribe(acme);
    expect((await world.report(world.rows(acme, '80'))).credits_burned).toBe('100');
    expect((await world.modules.api.get(`/wallets/${id}`)).body.credit_balance).toBe('1000');
  });

  it('draws from several wallets in burn order: the lot that expires first, then the older one', async () => {
    const acme = await world.customer();
    const lots = { external_customer_id: acme, currency: 'usd', initial_credits_to_load: '10' };
    const lasting = await world.made('/wallets', lots);
    const ending = await world.made('/wallets', { ...lots, initial_credits_expiry_date_utc: '2026-01-20T00:00:00Z' });
    await world.subscribe(acme);
    const { draws, balances } = await drawn(acme, '8', [lasting.id, ending.id]);
    expect(draws).toEqual(['10', '2']);
    expect(balances).toEqual(['108', '0']);
  });
});

/** What one event of so many rows drew from each lot in turn, and the wallets' balances after it. */
async function drawn(externalId: string, rows: string, walletIds: string[]) {
  const { event_id: id } = await world.report(world.rows(externalId, rows));
  const trail = (await world.modules.api.get(`/events/${id}`)).body;
  const balances = await Promise.all(walletIds.map((wallet) => world.modules.api.get(`/wallets/${wallet}`)));
  return {
    draws: trail.processed_events[0].draws.map(({ credits }: { credits: string }) => credits),
    balances: balances.map((answer) => answer.body.credit_balance as string),
  };
}

async function accrualsOf(externalId: string): Promise<object[]> {
  const found = await world.modules.run((tx) =>
    sql<object>`
      select trim_scale(a.accrued)::text accrued, trim_scale(a.covered)::text covered,
             trim_scale(a.shortfall)::text shortfall, trim_scale(a.waived)::text waived
      from accrual a join customer c on c.id = a.customer_id where c.external_id = ${externalId}`.execute(tx.db),
  );
  return found.rows;
}
