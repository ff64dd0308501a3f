import type { Story } from './story.js';

interface PlanTerms {
  readonly name: string;
  /** Money a month, in advance. */
  readonly fee: string;
  /** Money a year, in advance, beside the monthly price; usage is then sold by the year too. */
  readonly yearly?: string;
  readonly freeTables?: number;
  readonly monthlyCredits?: string;
  readonly creditsOnce?: string;
}

/** A plan on the features of the story's Starter plan: tables at 10, rows at 1.5. */
export async function definePlan(story: Story, terms: PlanTerms): Promise<string> {
  const { tablesFeatureId, rowsFeatureId } = story.starter;
  const plan = await story.post<{ id: string }>('/plans', { name: terms.name });
  const meterOf = async (featureId: string) =>
    (await story.get<{ meter_id: string }>(`/features/${featureId}`)).meter_id;
  const meters = [
    { meter_id: await meterOf(tablesFeatureId), amount: '10' },
    { meter_id: await meterOf(rowsFeatureId), amount: '1.5' },
  ];
  const price = (billing_period: string, over: object) =>
    story.post('/prices', {
      entity_type: 'PLAN',
      entity_id: plan.id,
      billing_model: 'FLAT_FEE',
      billing_cadence: 'RECURRING',
      price_unit_type: 'FIAT',
      currency: 'usd',
      billing_period,
      ...over,
    });
  const intervals = [['MONTHLY', terms.fee] as const, ...(terms.yearly ? [['ANNUAL', terms.yearly] as const] : [])];
  for (const [interval, amount] of intervals) {
    await price(interval, { type: 'FIXED', invoice_cadence: 'ADVANCE', amount, display_name: terms.name });
    for (const meter of meters) await price(interval, { type: 'USAGE', invoice_cadence: 'ARREAR', ...meter });
  }
  if (terms.freeTables !== undefined) {
    await story.post('/entitlements', {
      plan_id: plan.id,
      feature_id: tablesFeatureId,
      feature_type: 'metered',
      usage_limit: terms.freeTables,
    });
  }
  const grant = { scope: 'PLAN', plan_id: plan.id, name: 'credits', expiration_type: 'BILLING_CYCLE' };
  if (terms.monthlyCredits) {
    const step = { cadence: 'RECURRING', period: 'MONTHLY', credits: terms.monthlyCredits };
    await story.post('/creditgrants', { ...grant, ...step });
  }
  if (terms.creditsOnce) {
    const once = { cadence: 'ONETIME', credits: terms.creditsOnce, expiration_type: 'NEVER' };
    await story.post('/creditgrants', { ...grant, ...once });
  }
  return plan.id;
}
