import { Migration } from '@mikro-orm/migrations';

/**
 * Usage events with what became of them, and what each line item's usage of a period costs so far. Events refer to
 * customers without a foreign key: it would cost a look-up and a lock for each, and their transaction holds the customer's.
 */
export class MeteringMigration extends Migration {
  override up(): void {
    this.addSql(`
      create table usage_event (
        key uuid primary key,
        seq bigint generated always as identity,
        tenant_id text not null,
        environment_id text not null,
        event_id text not null,
        event_name text not null,
        customer_id text,
        external_customer_id text,
        at timestamptz not null,
        source text,
        properties jsonb not null,
        content_hash bytea not null,
        batch_id text not null,
        attribution jsonb not null,
        credits_burned numeric(38,12) not null check (credits_burned <> 'NaN'),
        reason text check (reason in (
          'unknown_customer', 'customer_mismatch', 'no_match', 'bad_property', 'period_settled')),
        received_at timestamptz not null
      );
      create index usage_event_by_age on usage_event (environment_id, at desc, seq desc);
      create index usage_event_by_customer on usage_event (environment_id, customer_id, at desc, seq desc);
      create index usage_event_of_nobody on usage_event (environment_id, external_customer_id, seq)
        where reason = 'unknown_customer';
      create index usage_event_unmatched on usage_event (environment_id, customer_id, at) where reason = 'no_match';

      create table usage_period (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        subscription_id text not null,
        currency text not null,
        kind text not null check (kind in ('trial', 'paid')),
        start_at timestamptz not null,
        end_at timestamptz not null check (end_at >= start_at),
        closed_at timestamptz,
        settled_at timestamptz,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create index usage_period_open on usage_period (environment_id, customer_id, currency) where closed_at is null;
      create index usage_period_unsettled on usage_period (environment_id, customer_id) where settled_at is null;

      create sequence shortfall_no;
      create table accrual (
        environment_id text not null,
        line_item_id text not null,
        period_id text not null,
        tenant_id text not null,
        customer_id text not null,
        currency text not null,
        state jsonb not null,
        events bigint not null,
        quantity numeric(38,12) not null check (quantity <> 'NaN'),
        free numeric(38,12) not null check (free >= 0 and free <> 'NaN'),
        billable numeric(38,12) not null check (billable >= 0 and billable <> 'NaN'),
        accrued numeric(38,12) not null check (accrued >= 0 and accrued <> 'NaN'),
        covered numeric(38,12) not null check (covered >= 0 and covered <> 'NaN'),
        credits numeric(38,12) not null check (credits >= 0 and credits <> 'NaN'),
        shortfall numeric(38,12) not null check (shortfall >= 0 and shortfall <> 'NaN'),
        waived numeric(38,12) not null check (waived >= 0 and waived <> 'NaN'),
        draws jsonb not null,
        short_no bigint,
        free_before numeric(38,12) not null check (free_before >= 0 and free_before <> 'NaN'),
        eventless numeric(38,12) not null check (eventless <> 'NaN'),
        billed jsonb,
        late boolean not null check (billed is not null or not late),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        primary key (line_item_id, period_id),
        check (accrued = covered + shortfall + waived),
        check ((shortfall > 0) = (short_no is not null)),
        foreign key (environment_id, period_id) references usage_period (environment_id, id) deferrable initially deferred
      ) with (fillfactor = 50);
      create index accrual_late on accrual (period_id) where late;
      create index accrual_by_period on accrual (period_id);
      create index accrual_short on accrual (customer_id) where short_no is not null;
    `);
  }
}
