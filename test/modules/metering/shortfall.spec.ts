import { currentUsage, UsageService } from '@drawdown/metering';
import { CustomersService } from '@drawdown/customers';
import { Decimal, text } from '@drawdown/billing-core';
import { WalletsService } from '@drawdown/wallets';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
/** Paid time at once: no trial, 2,000 credits a month. */
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z', 0);
}, 60_000);

interface Accrued {
  accrued: string;
  covered: string;
  shortfall: string;
  waived: string;
  credits: string;
  [column: string]: string;
}

/** The accruals of a customer's periods, as text without zeros at the end. */
async function accruals(externalId: string): Promise<Accrued[]> {
  const found = await world.modules.run((tx) =>
    sql<Accrued>`
      select trim_scale(a.accrued)::text accrued, trim_scale(a.covered)::text covered, trim_scale(a.credits)::text credits,
             trim_scale(a.shortfall)::text shortfall, trim_scale(a.waived)::text waived
      from accrual a join customer c on c.id = a.customer_id where c.external_id = ${externalId}
      order by a.short_no, a.line_item_id`.execute(tx.db),
  );
  return found.rows;
}

async function addCredits(externalId: string, credits: string, key: string): Promise<void> {
  await world.modules.run(async (tx) => {
    const customers = world.modules.get(CustomersService);
    const customer = await customers.resolveForUpdate(tx, { external_customer_id: externalId });
    const [wallet] = await world.modules.get(WalletsService).ofCustomer(tx, customer.id);
    await world.modules.get(WalletsService).addLot(tx, wallet!, {
      credits: new Decimal(credits),
      source: 'purchase',
      key,
    });
  });
}

describe('shortfalls are paid in the order they arose', () => {
  it('also one that was settled and arose again within a batch', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows(acme, '1340'));
    await world.reportAll(Array.from({ length: 7 }, () => world.table(acme)));
    expect((await accruals(acme)).map(({ shortfall }) => shortfall)).toEqual(['10', '20']);
    await world.reportAll([world.rows(acme, '-10'), world.rows(acme, '10')]);
    await addCredits(acme, '10', 'for the tables, which are older now');
    const short = (await accruals(acme)).map(({ accrued, shortfall }) => [accrued, shortfall]);
    expect(Object.fromEntries(short)).toEqual({ '20': '5', '2010': '15' });
  });
});

describe('usage beyond the credits', () => {
  it('is short, and credits bought in the same period pay it down at once', async () => {
    const acme = await world.subscriber();
    expect(await world.balance(acme)).toBe('2000');
    expect((await world.report(world.rows(acme, '1500'))).credits_burned).toBe('2000');
    expect(await world.balance(acme)).toBe('0');
    expect(await accruals(acme)).toEqual([
      { accrued: '2250', covered: '2000', credits: '2000', shortfall: '250', waived: '0' },
    ]);
    await addCredits(acme, '500', 'bought 500');
    expect(await world.balance(acme)).toBe('250');
    expect(await accruals(acme)).toEqual([
      { accrued: '2250', covered: '2250', credits: '2250', shortfall: '0', waived: '0' },
    ]);
    const ledger = await ledgerOf(acme);
    expect(ledger.map((one) => [one.kind, one.credit_amount, one.cause_type])).toEqual([
      ['burn', '250', 'pay_down'],
      ['add', '500', 'lot'],
      ['burn', '2000', 'usage_batch'],
      ['add', '2000', 'lot'],
    ]);
  });

  it('is paid down once though the lot is brought twice', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows(acme, '1400'));
    await addCredits(acme, '50', 'bought twice');
    await addCredits(acme, '50', 'bought twice');
    expect((await accruals(acme))[0]).toMatchObject({ covered: '2050', shortfall: '50' });
  });

  it('is oldest first across line items', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows(acme, '1334'));
    await world.reportAll(Array.from({ length: 6 }, () => world.table(acme)));
    expect((await accruals(acme)).map((one) => one.shortfall)).toEqual(['1', '10']);
    await addCredits(acme, '3', 'three');
    expect((await accruals(acme)).map((one) => one.shortfall)).toEqual(['8', '0']);
  });

  it('of a correction gives credits back, and the ledger nets them', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows(acme, '100'));
    expect((await world.report(world.rows(acme, '-40'))).credits_burned).toBe('-60');
    expect(await world.balance(acme)).toBe('1910');
    const [back] = await ledgerOf(acme);
    expect(back).toMatchObject({ kind: 'return', type: 'credit', credit_amount: '60', credit_balance_after: '1910' });
  });

  it('of before and after a lot has expired draws it to the millisecond', async () => {
    const acme = await world.customer();
    const wallet = await world.made('/wallets', {
      external_customer_id: acme,
      currency: 'usd',
      initial_credits_to_load: '100',
      initial_credits_expiry_date_utc: '2026-01-10T09:00:00.500Z',
    });
    await world.subscribe(acme);
    const before = world.rows(acme, '10', { timestamp: '2026-01-10T09:00:00.499Z' });
    const after = world.rows(acme, '10', { timestamp: '2026-01-10T09:00:00.500Z' });
    expect(wallet.id).toBeTruthy();
    await world.modules.advanceTo('2026-01-10T09:00:01Z');
    expect(await world.balance(acme)).toBe('2000');
    await world.report(before);
    expect(await world.balance(acme)).toBe('2000');
    await world.report(after);
    expect(await world.balance(acme)).toBe('1985');
  });
});

describe('the end of a period', () => {
  it('closes it to later credits, keeps it open to events within the window, and settles it once', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows(acme, '1500', { event_id: 'in-time' }));
    const periods = await periodsOf(acme);
    await world.modules.advanceTo(periods[0]!.end_at);
    await addCredits(acme, '500', 'bought too late');
    expect(await world.balance(acme)).toBe('500');
    expect((await accruals(acme))[0]).toMatchObject({ shortfall: '250' });
    const end = new Date(periods[0]!.end_at).getTime();
    const inside = new Date(end - 1).toISOString();
    expect((await world.report(world.rows(acme, '1', { timestamp: inside }))).reason).toBeNull();
    expect((await accruals(acme))[0]).toMatchObject({ shortfall: '251.5' });
    await world.modules.run(async (tx) => {
      const usage = world.modules.get(UsageService);
      const [settled] = await usage.settle(tx, periods[0]!.id);
      expect([settled!.accrued, settled!.shortfall].map(text)).toEqual(['2251.5', '251.5']);
      expect(settled!.settledAt).not.toBeNull();
      const of = sql`(values (${tx.scope.environmentId}, ${periods[0]!.customer_id}, 'usd')) of(environment_id, customer_id, currency)`;
      const open = await sql<{ used: string }>`select ${currentUsage(sql`of`)} used from ${of}`.execute(tx.db);
      expect(open.rows).toEqual([{ used: '0' }]);
    });
    const late = await world.report(world.rows(acme, '1', { timestamp: inside, event_id: 'late' }));
    expect(late).toMatchObject({ status: 'accepted', credits_burned: '1.5', reason: null });
    const trail = await world.modules.api.get('/events/late');
    expect(trail.body).toMatchObject({ reason: null });
    expect(await world.balance(acme)).toBe('498.5');
  });
});

describe('a past start', () => {
  it('keeps the credits of its past periods for their events until the invoice is due', async () => {
    const now = new Date((await world.modules.api.get('/clock')).body.now as string);
    const start = new Date(now.getTime() - 45 * 24 * 3_600_000);
    const acme = await world.subscriber(start.toISOString());
    const [wallet] = await world.wallets(acme);
    expect([wallet!.credit_balance, await world.balance(acme)]).toEqual(['4000', '2000']);
    const past = { timestamp: new Date(start.getTime() + 1000).toISOString() };
    expect((await world.report(world.rows(acme, '100', past))).credits_burned).toBe('150');
    expect(await world.balance(acme)).toBe('2000');
    await world.modules.advanceTo(new Date(now.getTime() + 3_600_000).toISOString());
    expect((await ledgerOf(acme))[0]).toMatchObject({
      kind: 'write_off',
      credit_amount: '1850',
      credit_balance_after: '2000',
    });
    expect((await world.report(world.rows(acme, '1', past))).credits_burned).toBe('1.5');
    expect(await world.balance(acme)).toBe('1998.5');
  });
});

describe('a cancellation', () => {
  it.each([
    ['generate_invoice', null],
    ['skip', 'period_settled'],
  ])('with %s leaves events of its last period: %s', async (policy, reason) => {
    const acme = await world.customer();
    const { id } = await world.subscribe(acme);
    const before = (await world.modules.api.get('/clock')).body.now as string;
    await world.modules.advanceTo(new Date(new Date(before).getTime() + 1000).toISOString());
    await world.made(`/subscriptions/${id}/cancel`, {
      cancellation_type: 'immediate',
      cancel_immediately_inovice_policy: policy,
    });
    expect((await world.report(world.rows(acme, '1', { timestamp: before }))).reason).toBe(reason);
    expect((await world.report(world.rows(acme, '1'))).reason).toBe('no_match');
  });
});

interface LedgerLine {
  kind: string;
  type: string;
  credit_amount: string;
  credit_balance_after: string;
  cause_type: string;
}

async function ledgerOf(externalId: string): Promise<LedgerLine[]> {
  const [wallet] = await world.wallets(externalId);
  const answer = await world.modules.api.get(`/wallets/${wallet!.id}/transactions`);
  return (answer.body as { items: LedgerLine[] }).items;
}

async function periodsOf(externalId: string): Promise<{ id: string; end_at: string; customer_id: string }[]> {
  const found = await world.modules.run((tx) =>
    sql<{ id: string; end_at: string; customer_id: string }>`
      select p.id, p.end_at, p.customer_id from usage_period p join customer c on c.id = p.customer_id
      where c.external_id = ${externalId} order by p.start_at`.execute(tx.db),
  );
  return found.rows;
}
