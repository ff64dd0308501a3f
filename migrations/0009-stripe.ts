import { Migration } from '@mikro-orm/migrations';

/** Who and what stands at Stripe for ours, the inbox of its events, and how far they were read. */
export class StripeMigration extends Migration {
  override up(): void {
    this.addSql(`
      create table stripe_customer (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        gone_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create unique index stripe_customer_current on stripe_customer (environment_id, customer_id) where gone_at is null;
      create index stripe_customer_by_customer on stripe_customer (environment_id, customer_id, created_at desc);

      create table payment_method (
        id text primary key,
        seq bigint not null generated always as identity,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        type text not null,
        brand text not null,
        last4 text not null,
        exp_month smallint check (exp_month between 1 and 12),
        exp_year smallint check (exp_year between 1970 and 9998),
        removed_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create index payment_method_newest on payment_method (environment_id, customer_id, seq desc)
        where removed_at is null;
      create index payment_method_by_age on payment_method (environment_id, customer_id, created_at desc, id desc);

      create table stripe_checkout (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        session_id text not null,
        status text not null check (status in ('open', 'expired', 'failed', 'saved', 'paid')),
        expires_at timestamptz not null,
        read_at timestamptz not null default now(),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create index stripe_checkout_open on stripe_checkout (read_at) where status = 'open';
      create index stripe_checkout_by_session on stripe_checkout (environment_id, session_id);

      create table stripe_event (
        environment_id text not null,
        id text not null,
        tenant_id text not null,
        type text not null,
        object_id text not null,
        happened_at timestamptz not null,
        status text not null default 'received' check (status in ('received', 'handled', 'ignored', 'parked')),
        attempts integer not null default 0 check (attempts >= 0),
        next_attempt_at timestamptz not null default now(),
        last_error text,
        received_at timestamptz not null default now(),
        settled_at timestamptz check ((settled_at is null) = (status = 'received')),
        primary key (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );
      create index stripe_event_due on stripe_event (next_attempt_at) where status = 'received';
      create index stripe_event_by_age on stripe_event (environment_id, received_at desc, id desc);
      create index stripe_event_parked on stripe_event (environment_id, received_at desc) where status = 'parked';
      create index stripe_event_settled on stripe_event (settled_at) where status in ('handled', 'ignored');

      create table stripe_webhook_secret (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        url text not null,
        secret text not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );
      create index stripe_webhook_secret_by_environment on stripe_webhook_secret (environment_id);

      create table stripe_account (
        id text not null,
        the_only_one boolean primary key default true check (the_only_one),
        seen_at timestamptz not null default now()
      );

      create table stripe_sweep (
        name text primary key check (name in ('events')),
        seen_until timestamptz not null,
        claimed_until timestamptz not null
      );
    `);
  }
}
