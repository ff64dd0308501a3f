import { Migration } from '@mikro-orm/migrations';

/** Subscriptions, their copies of what the plan offered, their periods, and the lots they are owed. */
export class SubscriptionsMigration extends Migration {
  override up(): void {
    this.addSql(`
      create table subscription (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        plan_id text not null,
        lookup_key text,
        currency text not null check (currency ~ '^[a-z]{3}$'),
        status text not null check (status in ('draft', 'incomplete', 'trialing', 'active', 'past_due', 'paused', 'cancelled')),
        billing_cycle text not null check (billing_cycle in ('anniversary', 'calendar')),
        billing_period text not null,
        billing_period_count integer not null check (billing_period_count >= 1),
        billing_anchor timestamptz not null,
        customer_timezone text not null,
        proration_behavior text not null check (proration_behavior in ('create_prorations', 'none')),
        collection_method text not null check (collection_method in ('charge_automatically', 'send_invoice')),
        payment_terms text,
        payment_behavior text not null check (payment_behavior in ('default_active', 'allow_incomplete', 'error_if_incomplete', 'default_incomplete')),
        commitment_amount numeric(38, 12) check (commitment_amount > 0 and commitment_amount <> 'NaN'),
        overage_factor numeric(38, 12) check (overage_factor >= 1 and overage_factor <> 'NaN'),
        true_up boolean not null,
        start_date timestamptz not null,
        awaits_activation boolean not null,
        trial_days integer check (trial_days > 0),
        trial_end timestamptz check (trial_end > start_date),
        paid_from timestamptz check (paid_from >= start_date),
        end_date timestamptz check (end_date > start_date),
        current_period_start timestamptz,
        current_period_end timestamptz,
        cancel_at timestamptz,
        cancel_at_period_end boolean not null,
        cancel_reason text,
        final_invoice boolean not null,
        cancel_prorated boolean not null,
        cancelled_at timestamptz,
        metadata jsonb not null,
        version integer not null default 1,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        live boolean generated always as (nullif(status <> 'cancelled', false)) stored,
        unique (environment_id, id),
        check ((status = 'cancelled') = (cancelled_at is not null)),
        check ((commitment_amount is null) = (overage_factor is null)),
        check (not true_up or commitment_amount is not null),
        check (not awaits_activation or status in ('draft', 'cancelled')),
        check (status in ('draft', 'cancelled') or current_period_end is not null),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred,
        constraint subscription_live_customer foreign key (environment_id, customer_id, live)
          references customer (environment_id, id, live),
        foreign key (environment_id, plan_id) references plan (environment_id, id) deferrable initially deferred
      );
      create index subscription_by_age on subscription (environment_id, created_at desc, id desc);
      create index subscription_by_customer on subscription (environment_id, customer_id, created_at desc, id desc);
      create index subscription_by_plan on subscription (environment_id, plan_id);
      create index subscription_by_lookup_key on subscription (environment_id, lookup_key);

      create table subscription_line_item (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        customer_id text not null,
        plan_id text,
        plan_display_name text,
        price_id text not null,
        price_type text not null check (price_type in ('FIXED', 'USAGE')),
        display_name text not null,
        currency text not null check (currency ~ '^[a-z]{3}$'),
        billing_period text not null,
        billing_period_count integer not null check (billing_period_count >= 1),
        invoice_cadence text not null check (invoice_cadence in ('ADVANCE', 'ARREAR')),
        once boolean not null check (not once or (price_type = 'FIXED' and invoice_cadence = 'ADVANCE')),
        quantity numeric(38, 12) not null check (quantity >= 0 and quantity <> 'NaN'),
        meter_id text,
        meter_display_name text,
        price jsonb not null,
        rule jsonb not null,
        commitment jsonb check (commitment is null or price_type = 'USAGE'),
        start_date timestamptz not null,
        end_date timestamptz check (end_date >= start_date),
        fee_from timestamptz not null check (fee_from >= start_date),
        fee_until timestamptz,
        metadata jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        check ((price_type = 'USAGE') = (meter_id is not null)),
        check ((plan_id is null) = (plan_display_name is null)),
        check (once or fee_until >= end_date),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred
      );
      create index subscription_line_item_by_subscription on subscription_line_item (subscription_id);
      create index subscription_line_item_of_usage on subscription_line_item (customer_id)
        where price_type = 'USAGE';

      create table subscription_period (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        customer_id text not null,
        number integer not null check (number >= 1),
        kind text not null check (kind in ('trial', 'paid')),
        start_at timestamptz not null,
        end_at timestamptz not null,
        whole_start timestamptz not null,
        whole_end timestamptz not null,
        rest_credited boolean not null default false,
        status text not null check (status in ('open', 'closed')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        constraint subscription_period_number unique (environment_id, subscription_id, number),
        check (start_at <= end_at and (start_at < end_at or status = 'closed')),
        check (whole_start <= start_at and end_at <= whole_end and whole_start < whole_end),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred
      );
      create index subscription_period_by_end on subscription_period (subscription_id, end_at);
      create unique index subscription_period_start on subscription_period (environment_id, subscription_id, start_at)
        where start_at < end_at;
      create unique index subscription_period_open on subscription_period (environment_id, subscription_id)
        where status = 'open';

      create table subscription_entitlement (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        entitlement_id text not null,
        feature_id text not null,
        agreed boolean not null,
        is_enabled boolean not null,
        is_soft_limit boolean not null,
        usage_limit numeric(38, 12) check (usage_limit >= 0 and usage_limit <> 'NaN'),
        usage_reset_period text,
        static_value text,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        constraint subscription_entitlement_once unique (environment_id, subscription_id, entitlement_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred
      );

      create table subscription_grant (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        plan_grant_id text not null,
        plan_id text,
        ended_at timestamptz,
        name text not null,
        cadence text not null check (cadence in ('ONETIME', 'RECURRING')),
        credits numeric(38, 12) not null check (credits > 0 and credits <> 'NaN'),
        period text check ((period is not null) = (cadence = 'RECURRING')),
        period_count integer not null check (period_count >= 1),
        expiration_type text not null check (expiration_type in ('NEVER', 'DURATION', 'BILLING_CYCLE')),
        expiration_duration integer check (expiration_duration >= 1),
        expiration_unit text check (expiration_unit in ('DAY', 'WEEK', 'MONTH', 'YEAR')),
        priority integer,
        conversion_rate numeric(38, 12) check (conversion_rate > 0 and conversion_rate <> 'NaN'),
        topup_conversion_rate numeric(38, 12) check (topup_conversion_rate > 0 and topup_conversion_rate <> 'NaN'),
        metadata jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        constraint subscription_grant_once unique (environment_id, subscription_id, plan_grant_id),
        check ((expiration_type = 'DURATION') = (expiration_duration is not null and expiration_unit is not null)),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred
      );

      create table credit_grant_application (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        customer_id text not null,
        grant_id text not null,
        counted_from timestamptz not null,
        step integer not null check (step >= 0),
        recurring boolean not null,
        credits numeric(38, 12) not null check (credits >= 0 and credits <> 'NaN'),
        scheduled_for timestamptz not null,
        step_end timestamptz not null check (step_end > scheduled_for),
        expires_at timestamptz check (expires_at > scheduled_for),
        status text not null check (status in ('pending', 'applied', 'skipped', 'cancelled')),
        applied_at timestamptz check ((applied_at is not null) = (status = 'applied')),
        subscription_status text check ((subscription_status is not null) = (status = 'applied')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        constraint credit_grant_application_once unique (environment_id, subscription_id, grant_id, counted_from, step),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, grant_id) references subscription_grant (environment_id, id) deferrable initially deferred
      );
      create index credit_grant_application_pending on credit_grant_application
        (environment_id, customer_id, scheduled_for) where status = 'pending';

      create table subscription_schedule (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        customer_id text not null,
        type text not null check (type in ('plan_change', 'cancellation')),
        status text not null check (status in ('pending', 'executed', 'cancelled', 'failed')),
        configuration jsonb not null,
        scheduled_at timestamptz not null,
        executed_at timestamptz check ((executed_at is not null) = (status = 'executed')),
        cancelled_at timestamptz check ((cancelled_at is not null) = (status = 'cancelled')),
        error_message text check ((error_message is not null) = (status = 'failed')),
        metadata jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred
      );
      create unique index subscription_schedule_pending on subscription_schedule (environment_id, subscription_id, type)
        where status = 'pending';
      create index subscription_schedule_by_age on subscription_schedule (environment_id, created_at desc, id desc);

      create table subscription_pause (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        subscription_id text not null,
        customer_id text not null,
        mode text not null check (mode in ('immediate', 'scheduled', 'period_end')),
        status text not null check (status in ('scheduled', 'active', 'completed', 'cancelled')),
        start_at timestamptz not null,
        end_at timestamptz check (end_at > start_at),
        resumed_at timestamptz check ((resumed_at is not null) = (status = 'completed') and resumed_at >= start_at),
        resumes_as text check (resumes_as in ('trialing', 'active', 'past_due')),
        period_start timestamptz,
        period_end timestamptz,
        reason text,
        metadata jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred
      );
      create unique index subscription_pause_open on subscription_pause (environment_id, subscription_id)
        where status in ('scheduled', 'active');
      create index subscription_pause_by_subscription on subscription_pause (environment_id, subscription_id, start_at);
    `);
  }
}
