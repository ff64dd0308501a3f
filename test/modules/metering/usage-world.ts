import { defineStarter } from '../../../apps/demo/src/starter-plan.js';
import { startModules, type Modules } from '../../support/modules.js';

export interface Ingested {
  event_id: string;
  status: string;
  credits_burned: string;
  differs: boolean;
  reason: string | null;
}

export interface ReportedEvent {
  event_name: string;
  external_customer_id?: string;
  customer_id?: string;
  event_id?: string;
  timestamp?: string;
  source?: string;
  properties?: Record<string, string | number | boolean>;
}

/** Customers on the Starter plan of the example, and what their usage does to them. */
export class UsageWorld {
  private customers = 0;

  private constructor(
    readonly modules: Modules,
    readonly planId: string,
  ) {}

  static async start(at: string, trialDays = 14): Promise<UsageWorld> {
    const modules = await startModules({ at, env: { ROLE: 'api' } });
    const post = async (path: string, body: object) => {
      const answer = await modules.api.post(path, body);
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
      return answer.body as { id: string; meter_id: string };
    };
    const starter = await defineStarter(post, 'usage', trialDays);
    return new UsageWorld(modules, starter.planId);
  }

  /** A new customer's external id. */
  async customer(): Promise<string> {
    const externalId = `acme-${++this.customers}`;
    await this.made('/customers', { external_id: externalId });
    return externalId;
  }

  /** A customer on the plan, from now or from then on. */
  async subscriber(startDate?: string): Promise<string> {
    const externalId = await this.customer();
    await this.subscribe(externalId, startDate);
    return externalId;
  }

  async subscribe(externalId: string, startDate?: string): Promise<{ id: string }> {
    return this.made('/subscriptions', {
      external_customer_id: externalId,
      plan_id: this.planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: 'anniversary',
      ...(startDate ? { start_date: startDate } : {}),
    });
  }

  async report(event: ReportedEvent): Promise<Ingested> {
    const answer = await this.modules.api.post('/events', event);
    if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
    return answer.body as Ingested;
  }

  async reportAll(events: ReportedEvent[]): Promise<Ingested[]> {
    const answer = await this.modules.api.post('/events/bulk', { events });
    if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
    return (answer.body as { results: Ingested[] }).results;
  }

  table = (externalId: string, more: Partial<ReportedEvent> = {}): ReportedEvent => ({
    event_name: 'table_create',
    external_customer_id: externalId,
    properties: { status: 'success' },
    ...more,
  });

  rows = (externalId: string, rows: string | number, more: Partial<ReportedEvent> = {}): ReportedEvent => ({
    event_name: 'contact_enrich',
    external_customer_id: externalId,
    properties: { rows },
    ...more,
  });

  async wallets(externalId: string): Promise<Record<string, string>[]> {
    const answer = await this.modules.api.get(`/customers/wallets?lookup_key=${externalId}`);
    return answer.body as Record<string, string>[];
  }

  /** What the customer can spend now in its first wallet, as people read it. */
  async balance(externalId: string): Promise<string> {
    const [wallet] = await this.wallets(externalId);
    const { free, purchased } = wallet!.credits_available_breakdown as unknown as Record<string, string>;
    return String(Number(free) + Number(purchased));
  }

  async made<T = { id: string }>(path: string, body: object): Promise<T> {
    const answer = await this.modules.api.post(path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body as T;
  }
}
