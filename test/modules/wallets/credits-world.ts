import type { Decimal } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { newId, Problem } from '@drawdown/platform';
import { CreditReversals } from '@drawdown/wallets';
import { expect } from '@jest/globals';
import { sql } from 'kysely';
import type { Api, Modules } from '../../support/modules.js';
import { freshEnvironment, type Environment } from '../../support/environments.js';
import { boundary, GRANTED, START } from './credits-model.js';
import { TARIFFS, type Tariff } from './credits-tariff.js';

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- the wire's own shapes
  readonly body: any;
}

/** A customer with its subscription in an environment of its own, over HTTP: what the model is compared with. */
export class CreditsWorld {
  readonly walletIds: string[] = [];
  private lotIds: string[] = [];
  readonly holdIds: string[] = [];

  private constructor(
    private readonly modules: Modules,
    private readonly environment: Environment,
    readonly customerId: string,
    private readonly rate: Decimal,
    /** In the order in which an event counts on them. */
    readonly tariffs: readonly Tariff[],
    private readonly lineItems: ReadonlyMap<string, string>,
  ) {}

  static async start(modules: Modules, rate: Decimal): Promise<CreditsWorld> {
    const environment = await freshEnvironment(modules, new Date(START));
    const { api } = environment;
    const planId = await definePlan(api, rate);
    const { id: customerId } = await made(api, '/customers', { external_id: 'acme' });
    await saveCard(modules, api, customerId);
    await made(api, '/subscriptions', {
      customer_id: customerId,
      plan_id: planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: 'anniversary',
    });
    const items = await environment.run((tx) =>
      sql<{ id: string; name: string }>`
        select id, display_name name from subscription_line_item
        where environment_id = ${tx.scope.environmentId} order by id`.execute(tx.db),
    );
    const tariffs = items.rows.map(({ name }) => TARIFFS.find((tariff) => tariff.name === name)!);
    const lineItems = new Map(items.rows.map(({ id, name }) => [id, name]));
    const world = new CreditsWorld(modules, environment, customerId, rate, tariffs, lineItems);
    await world.state();
    return world;
  }

  post(path: string, body: object): Promise<Answer> {
    return this.environment.api.post(path, body).then(({ status, body: answer }) => ({ status, body: answer }));
  }

  /** @throws when it isn't answered with 2xx. */
  async done(path: string, body: object): Promise<Answer['body']> {
    return made(this.environment.api, path, body);
  }

  openWallet(paysUsage: boolean): Promise<unknown> {
    return this.done('/wallets', {
      customer_id: this.customerId,
      currency: 'usd',
      conversion_rate: this.rate.toFixed(),
      config: { allowed_price_types: [paysUsage ? 'ALL' : 'FIXED'] },
    });
  }

  /** As a refund of the money does it. @returns whether the lot had so many unheld. */
  async takeBack(lot: number, credits: Decimal): Promise<boolean> {
    const input = { lotId: this.lotIds[lot]!, credits, key: newId('refund') };
    return this.environment
      .run(async (tx) => {
        await this.modules.get(CustomersService).lock(tx, [this.customerId]);
        await this.modules.get(CreditReversals).refund(tx, input);
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof Problem && error.code === 'invalid_state') return false;
        throw error;
      });
  }

  async advance(to: number): Promise<void> {
    await this.done('/clock/advance', { to: new Date(to).toISOString() });
  }

  /** In the shape of the model's. */
  async state() {
    const found = await this.environment.run((tx) =>
      sql<Row>`
        select 'lot' kind, id, remaining a, held b, (written_off_at is not null)::text c,
               (select coalesce(sum(credits), 0)::text from ledger_entry where lot_id = lot.id) d from lot
        where environment_id = ${tx.scope.environmentId}
        union all
        select 'accrual', a.line_item_id || ' ' || p.start_at, accrued, covered, a.credits::text, a.shortfall::text
        from accrual a join usage_period p on p.environment_id = a.environment_id and p.id = a.period_id
        where a.environment_id = ${tx.scope.environmentId}
        order by 1, 2`.execute(tx.db),
    );
    const lots = found.rows.filter(({ kind }) => kind === 'lot');
    this.lotIds = lots.map(({ id }) => id);
    for (const lot of lots) expect([lot.id, plain(lot.d)]).toEqual([lot.id, plain(lot.a)]);
    return {
      lots: lots.map(({ a, b, c }) => [plain(a), plain(b), c === 'true']),
      wallets: await this.wallets(),
      accruals: Object.fromEntries(
        found.rows
          .filter(({ kind }) => kind === 'accrual')
          .map(({ id, a, b, c, d }) => [this.accrualName(id), [a, b, c, d].map(plain)]),
      ),
      holds: await this.holds(),
    };
  }

  private accrualName(id: string): string {
    const [lineItemId, ...start] = id.split(' ');
    let period = 0;
    while (boundary(period) < new Date(start.join(' ')).getTime()) period++;
    return `${this.lineItems.get(lineItemId!)} ${period}`;
  }

  private async wallets() {
    const { body } = await this.environment.api.get(`/customers/${this.customerId}/wallets`);
    const wallets = body as Record<string, string>[];
    this.walletIds.splice(0, Infinity, ...wallets.map(({ id }) => id!));
    return wallets.map((wallet) => {
      const { free, purchased } = wallet.credits_available_breakdown as unknown as Record<string, string>;
      return [wallet.wallet_status, plain(wallet.credit_balance!), plain(free!), plain(purchased!)];
    });
  }

  private async holds(): Promise<string[]> {
    const { body } = await this.environment.api.get('/credits/holds?limit=1000');
    const statuses = new Map(
      (body.items as { id: string; hold_status: string }[]).map((one) => [one.id, one.hold_status]),
    );
    return this.holdIds.map((id) => statuses.get(id)!);
  }
}

interface Row extends Record<'kind' | 'id' | 'a' | 'b' | 'c' | 'd', string> {}

const plain = (amount: string): string => amount.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');

async function made(api: Api, path: string, body: object): Promise<Answer['body']> {
  const answer = await api.post(path, body);
  if (answer.status >= 300) throw new Error(`${path} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
  return answer.body;
}

async function definePlan(api: Api, rate: Decimal): Promise<string> {
  const plan = await made(api, '/plans', { name: 'All kinds' });
  for (const { name, event, aggregation, price, limit } of TARIFFS) {
    const meter = { event_name: event, aggregation, filters: [], reset_usage: 'BILLING_PERIOD' };
    const feature = await made(api, '/features', { name, type: 'metered', meter });
    await made(api, '/prices', {
      type: 'USAGE',
      billing_model: 'FLAT_FEE',
      billing_period: 'MONTHLY',
      currency: 'usd',
      entity_type: 'PLAN',
      entity_id: plan.id,
      meter_id: feature.meter_id,
      display_name: name,
      ...price,
    });
    if (limit) await made(api, '/entitlements', { plan_id: plan.id, feature_id: feature.id, usage_limit: limit });
  }
  await made(api, '/creditgrants', {
    plan_id: plan.id,
    name: 'Monthly',
    scope: 'PLAN',
    cadence: 'RECURRING',
    credits: GRANTED,
    conversion_rate: rate.toFixed(),
    period: 'MONTHLY',
    period_count: 1,
    expiration_type: 'BILLING_CYCLE',
  });
  return plan.id;
}

/** So that every invoice is paid as it is finalized, and no grant waits. */
async function saveCard(modules: Modules, api: Api, customerId: string): Promise<void> {
  const urls = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };
  const session = await made(api, '/checkout/sessions', { mode: 'setup', customer_id: customerId, ...urls });
  const page = new URL(session.url as string).pathname.split('/').at(-1)!;
  await fetch(`${modules.sandbox.controlUrl}/sessions/${page}/complete`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ card: '4242424242424242' }),
  });
  await api.get(`/checkout/sessions/${session.id}`);
}
