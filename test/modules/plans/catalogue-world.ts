import type { Modules } from '../../support/modules.js';

/* oxlint-disable typescript/no-explicit-any -- answers are looked at field by field */
export type Answer = Record<string, any>;

/** A catalogue being filled over HTTP. */
export class CatalogueWorld {
  private made = 0;

  constructor(readonly modules: Modules) {}

  /** A name nobody else uses. */
  key(): string {
    return `key-${++this.made}`;
  }

  async post(path: string, body: object, status = 201): Promise<Answer> {
    const answer = await this.modules.api.post(path, body);
    return bodyOf(answer, status);
  }

  async get(path: string): Promise<Answer> {
    const answer = await this.modules.api.get(path);
    return bodyOf(answer, 200);
  }

  plan(body: object = {}): Promise<Answer> {
    return this.post('/plans', { name: 'Starter', ...body });
  }

  metered(): Promise<Answer> {
    const meter = { event_name: this.key(), aggregation: { type: 'COUNT' } };
    return this.post('/features', { name: 'Tables', type: 'metered', meter });
  }

  feature(type: 'boolean' | 'static'): Promise<Answer> {
    return this.post('/features', { name: type, type });
  }

  /** How many rows of a resource there are: what a refused request must not change. */
  async count(resource: string): Promise<number> {
    return (await this.post(`/${resource}/search`, {}, 200)).pagination.total;
  }

  /** The status and the field of a refusal. */
  async refusal(path: string, body: object, method: 'post' | 'put' = 'post'): Promise<[number, string | undefined]> {
    const answer = await this.modules.api[method](path, body);
    return [answer.status, answer.body.details?.field];
  }
}

function bodyOf(answer: { status: number; body: Answer; request: { url: string } }, status: number): Answer {
  if (answer.status === status) return answer.body;
  throw new Error(`${answer.request.url} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** $149 a month in advance. */
export const fee = (planId: unknown, more: object = {}) => ({
  type: 'FIXED',
  billing_model: 'FLAT_FEE',
  billing_period: 'MONTHLY',
  billing_cadence: 'RECURRING',
  invoice_cadence: 'ADVANCE',
  price_unit_type: 'FIAT',
  currency: 'USD',
  entity_type: 'PLAN',
  entity_id: planId,
  amount: '149.00',
  ...more,
});

/** $10 a use. */
export const usage = (planId: unknown, meterId: unknown, more: object = {}) =>
  fee(planId, { type: 'USAGE', invoice_cadence: 'ARREAR', meter_id: meterId, amount: 10, ...more });

export const monthlyGrant = (planId: unknown, more: object = {}) => ({
  name: 'Monthly credits',
  scope: 'PLAN',
  plan_id: planId,
  cadence: 'RECURRING',
  credits: '2000',
  period: 'MONTHLY',
  period_count: 1,
  expiration_type: 'BILLING_CYCLE',
  ...more,
});
