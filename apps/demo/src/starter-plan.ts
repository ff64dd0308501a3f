/**
 * The Starter plan of the walk-through, as bodies of API requests: $149 a month in advance, a 14-day trial with
 * 100 free credits, 10 credits a table after the first 5 of a period, 1.5 credits a row, export on, 2,000 credits a month.
 */
export const starterPlan = {
  features: {
    tables: {
      name: 'Tables created',
      type: 'metered',
      unit_singular: 'table',
      unit_plural: 'tables',
      meter: {
        name: 'Tables created',
        event_name: 'table_create',
        aggregation: { type: 'COUNT' },
        filters: [{ key: 'status', values: ['success'] }],
        reset_usage: 'BILLING_PERIOD',
      },
    },
    rows: {
      name: 'Contacts enriched',
      type: 'metered',
      unit_singular: 'row',
      unit_plural: 'rows',
      meter: {
        name: 'Contacts enriched',
        event_name: 'contact_enrich',
        aggregation: { type: 'SUM', field: 'rows' },
        filters: [],
        reset_usage: 'BILLING_PERIOD',
      },
    },
    export: { name: 'Export', type: 'boolean' },
  },
  plan: { name: 'Starter', description: 'For small teams' },
  fee: {
    ...recurring('FIXED', 'ADVANCE'),
    amount: '149',
    display_name: 'Starter',
    trial_period: 14,
  },
  tablePrice: { ...recurring('USAGE', 'ARREAR'), amount: '10', display_name: 'Tables created' },
  rowPrice: { ...recurring('USAGE', 'ARREAR'), amount: '1.5', display_name: 'Contacts enriched' },
  trialGrant: {
    name: 'Trial credits',
    scope: 'PLAN',
    cadence: 'ONETIME',
    credits: '100',
    expiration_type: 'DURATION',
    expiration_duration: 14,
    expiration_duration_unit: 'DAY',
  },
  monthlyGrant: {
    name: 'Monthly credits',
    scope: 'PLAN',
    cadence: 'RECURRING',
    credits: '2000',
    period: 'MONTHLY',
    period_count: 1,
    expiration_type: 'BILLING_CYCLE',
  },
} as const;

function recurring<T extends string, I extends string>(type: T, invoiceCadence: I) {
  return {
    type,
    invoice_cadence: invoiceCadence,
    billing_model: 'FLAT_FEE',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    price_unit_type: 'FIAT',
    currency: 'usd',
    entity_type: 'PLAN',
  } as const;
}

export interface StarterIds {
  readonly planId: string;
  readonly tablesFeatureId: string;
  readonly rowsFeatureId: string;
  readonly exportFeatureId: string;
}

type Created = { id: string; meter_id: string };
type Post = (path: string, body: object) => Promise<Created>;

/** Defines the plan through the API. `key` keeps lookup keys apart where it is defined more than once. */
export async function defineStarter(post: Post, key: string, trialDays: number = 14): Promise<StarterIds> {
  const feature = (name: keyof typeof starterPlan.features) =>
    post('/features', { ...starterPlan.features[name], lookup_key: `${name}-${key}` });
  const tables = await feature('tables');
  const rows = await feature('rows');
  const exporting = await feature('export');
  const plan = await post('/plans', { ...starterPlan.plan, lookup_key: `starter-${key}` });
  const onPlan = { entity_id: plan.id };
  await post('/prices', { ...starterPlan.fee, ...onPlan, trial_period: trialDays });
  await post('/prices', { ...starterPlan.tablePrice, ...onPlan, meter_id: tables.meter_id });
  await post('/prices', { ...starterPlan.rowPrice, ...onPlan, meter_id: rows.meter_id });
  await post('/entitlements', {
    plan_id: plan.id,
    feature_id: tables.id,
    feature_type: 'metered',
    is_enabled: true,
    usage_limit: 5,
    usage_reset_period: 'MONTHLY',
  });
  await post('/entitlements', {
    plan_id: plan.id,
    feature_id: exporting.id,
    feature_type: 'boolean',
    is_enabled: true,
  });
  if (trialDays > 0) await post('/creditgrants', { ...starterPlan.trialGrant, plan_id: plan.id });
  await post('/creditgrants', { ...starterPlan.monthlyGrant, plan_id: plan.id });
  return { planId: plan.id, tablesFeatureId: tables.id, rowsFeatureId: rows.id, exportFeatureId: exporting.id };
}
