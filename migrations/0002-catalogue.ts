import { Migration } from '@mikro-orm/migrations';

/**
 * Features with their meters; plans with their prices, entitlements and credit grants.
 *
 * Deleting archives. `live` is true while a row is published and null after: foreign keys that include it hold between
 * published rows only, so the database itself refuses to archive what something published still uses, and to use what
 * is archived, whoever races.
 */
export class CatalogueMigration extends Migration {
  override up(): void {
    this.addSql(features);
    this.addSql(plans);
    this.addSql(prices);
    this.addSql(entitlements);
    this.addSql(creditGrants);
  }
}

const owned = `
  id text primary key,
  tenant_id text not null,
  environment_id text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  status text not null check (status in ('published', 'archived')),
  live boolean generated always as (nullif(status = 'published', false)) stored,
  unique (environment_id, id),
  unique (environment_id, id, live),
  foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred`;

const features = `
  create table meter (${owned},
    name text not null,
    event_name text not null,
    filters jsonb not null,
    aggregation jsonb not null,
    reset_usage text not null check (reset_usage in ('BILLING_PERIOD', 'NEVER'))
  );
  create index meter_by_event on meter (environment_id, event_name);

  create table feature (${owned},
    name text not null,
    lookup_key text,
    description text,
    type text not null check (type in ('metered', 'boolean', 'static')),
    meter_id text,
    unit_singular text,
    unit_plural text,
    metadata jsonb not null,
    check ((type = 'metered') = (meter_id is not null)),
    constraint feature_meter foreign key (environment_id, meter_id) references meter (environment_id, id) deferrable initially deferred,
    constraint feature_live_meter foreign key (environment_id, meter_id, live) references meter (environment_id, id, live)
  );
  create unique index feature_lookup_key on feature (environment_id, lookup_key) where status = 'published';
  create index feature_by_age on feature (environment_id, created_at desc, id desc);
  create index feature_by_meter on feature (environment_id, meter_id);
`;

const plans = `
  create table plan (${owned},
    name text not null,
    lookup_key text,
    description text,
    display_order integer,
    metadata jsonb not null
  );
  create unique index plan_lookup_key on plan (environment_id, lookup_key) where status = 'published';
  create index plan_by_age on plan (environment_id, created_at desc, id desc);

  create table plan_use (
    environment_id text not null,
    subscription_id text not null,
    tenant_id text not null,
    plan_id text not null,
    live boolean not null default true check (live),
    primary key (environment_id, subscription_id),
    constraint plan_use_live_plan foreign key (environment_id, plan_id, live) references plan (environment_id, id, live)
  );
  create index plan_use_by_plan on plan_use (environment_id, plan_id);
`;

const ofPlan = (table: string): string => `
    constraint ${table}_plan foreign key (environment_id, plan_id) references plan (environment_id, id) deferrable initially deferred,
    constraint ${table}_live_plan foreign key (environment_id, plan_id, live) references plan (environment_id, id, live)`;

const prices = `
  create table price (${owned},
    plan_id text,
    subscription_id text,
    offered boolean generated always as (nullif(status = 'published' and plan_id is not null, false)) stored,
    type text not null check (type in ('FIXED', 'USAGE')),
    billing_model text not null check (billing_model in ('FLAT_FEE', 'PACKAGE', 'TIERED')),
    billing_period text not null
      check (billing_period in ('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL')),
    billing_period_count integer not null check (billing_period_count >= 1),
    billing_cadence text not null check (billing_cadence in ('RECURRING', 'ONETIME')),
    invoice_cadence text not null check (invoice_cadence in ('ADVANCE', 'ARREAR')),
    currency text not null check (currency ~ '^[a-z]{3}$'),
    amount numeric(38,12) not null check (amount >= 0 and amount <> 'NaN'),
    divide_by numeric(38,12) check (divide_by > 0 and divide_by <> 'NaN'),
    package_round text check (package_round in ('up', 'down')),
    tier_mode text check (tier_mode in ('SLAB', 'VOLUME')),
    tiers jsonb,
    min_quantity numeric(38,12) check (min_quantity >= 0 and min_quantity <> 'NaN'),
    parent_price_id text,
    superseded boolean not null default false,
    meter_id text,
    trial_period_days integer not null check (trial_period_days between 0 and 1095),
    start_date timestamptz,
    end_date timestamptz,
    lookup_key text,
    display_name text,
    description text,
    metadata jsonb not null,
    check ((plan_id is null) <> (subscription_id is null)),
    check ((type = 'USAGE') = (meter_id is not null)),
    check (type = 'FIXED' or invoice_cadence = 'ARREAR'),
    check (billing_cadence = 'RECURRING' or (type = 'FIXED' and invoice_cadence = 'ADVANCE')),
    check ((billing_model = 'PACKAGE') = (divide_by is not null) and (divide_by is null) = (package_round is null)),
    check ((billing_model = 'TIERED') = (tiers is not null) and (tiers is null) = (tier_mode is null)),
    constraint price_parent foreign key (environment_id, parent_price_id) references price (environment_id, id) deferrable initially deferred,
    check (end_date >= start_date),
    constraint price_meter foreign key (environment_id, meter_id) references meter (environment_id, id) deferrable initially deferred,
    constraint price_live_meter foreign key (environment_id, meter_id, offered) references meter (environment_id, id, live),
    ${ofPlan('price')}
  );
  create unique index price_lookup_key on price (environment_id, lookup_key) where status = 'published' and not superseded;
  create index price_by_parent on price (environment_id, parent_price_id);
  create index price_by_age on price (environment_id, created_at desc, id desc);
  create index price_by_plan on price (environment_id, plan_id);
  create index price_by_subscription on price (environment_id, subscription_id) where subscription_id is not null;
  create index price_by_meter on price (environment_id, meter_id);
`;

const entitlements = `
  create table entitlement (${owned},
    plan_id text not null,
    feature_id text not null,
    feature_type text not null check (feature_type in ('metered', 'boolean', 'static')),
    is_enabled boolean not null,
    is_soft_limit boolean not null,
    usage_limit numeric(38,12) check (usage_limit >= 0 and usage_limit <> 'NaN' and usage_limit = trunc(usage_limit)),
    usage_reset_period text check (usage_reset_period in
      ('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL', 'NEVER')),
    static_value text,
    check ((feature_type = 'static') = (static_value is not null)),
    check (feature_type = 'metered' or (usage_limit is null and usage_reset_period is null and not is_soft_limit)),
    constraint entitlement_feature foreign key (environment_id, feature_id) references feature (environment_id, id) deferrable initially deferred,
    constraint entitlement_live_feature foreign key (environment_id, feature_id, live)
      references feature (environment_id, id, live),
    ${ofPlan('entitlement')}
  );
  create unique index entitlement_of_plan on entitlement (environment_id, plan_id, feature_id) where status = 'published';
  create index entitlement_by_age on entitlement (environment_id, created_at desc, id desc);
  create index entitlement_by_plan on entitlement (environment_id, plan_id);
  create index entitlement_by_feature on entitlement (environment_id, feature_id);
`;

const creditGrants = `
  create table credit_grant (${owned},
    plan_id text not null,
    name text not null,
    cadence text not null check (cadence in ('ONETIME', 'RECURRING')),
    credits numeric(38,12) not null check (credits > 0 and credits <> 'NaN'),
    period text check (period in ('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL')),
    period_count integer not null check (period_count >= 1),
    expiration_type text not null check (expiration_type in ('NEVER', 'DURATION', 'BILLING_CYCLE')),
    expiration_duration integer check (expiration_duration >= 1),
    expiration_unit text check (expiration_unit in ('DAY', 'WEEK', 'MONTH', 'YEAR')),
    priority integer,
    conversion_rate numeric(38,12) check (conversion_rate > 0 and conversion_rate <> 'NaN'),
    topup_conversion_rate numeric(38,12) check (topup_conversion_rate > 0 and topup_conversion_rate <> 'NaN'),
    start_date timestamptz,
    end_date timestamptz,
    metadata jsonb not null,
    check ((cadence = 'RECURRING') = (period is not null)),
    check ((expiration_type = 'DURATION') = (expiration_duration is not null)),
    check ((expiration_type = 'DURATION') = (expiration_unit is not null)),
    check (end_date >= start_date),
    ${ofPlan('credit_grant')}
  );
  create index credit_grant_by_age on credit_grant (environment_id, created_at desc, id desc);
  create index credit_grant_by_plan on credit_grant (environment_id, plan_id);
`;
