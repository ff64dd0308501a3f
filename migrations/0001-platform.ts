import { Migration } from '@mikro-orm/migrations';

/** Tenants, environments and keys; the outbox; due work; answered idempotency keys. */
export class PlatformMigration extends Migration {
  override up(): void {
    this.addSql(`
      create table tenant (
        id text primary key,
        name text not null,
        billing_details jsonb,
        metadata jsonb not null default '{}',
        created_at timestamptz not null,
        updated_at timestamptz not null
      );

      create table environment (
        id text primary key,
        tenant_id text not null references tenant deferrable initially deferred,
        name text not null,
        type text not null check (type in ('development', 'production')),
        clock_at timestamptz check (clock_at is null or type = 'development'),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (tenant_id, id)
      );

      create table api_key (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        name text not null,
        hash text not null unique,
        prefix text not null,
        expires_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );

      create table outbox_event (
        seq bigint generated always as identity primary key,
        id text not null unique,
        tenant_id text not null,
        environment_id text not null,
        name text not null,
        payload jsonb not null,
        at timestamptz not null,
        recorded_at timestamptz not null default now(),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );
      create index outbox_event_by_environment on outbox_event (environment_id, seq);

      create table outbox_delivery (
        event_seq bigint not null references outbox_event on delete cascade deferrable initially deferred,
        handler text not null,
        tenant_id text not null,
        environment_id text not null,
        status text not null default 'pending' check (status in ('pending', 'done', 'dead')),
        attempts integer not null default 0,
        next_attempt_at timestamptz not null default now(),
        leased_until timestamptz,
        last_error text,
        primary key (event_seq, handler)
      );
      create index outbox_delivery_pending on outbox_delivery (event_seq, handler) where status = 'pending';
      create index outbox_delivery_dead on outbox_delivery (environment_id) where status = 'dead';

      create table due_work (
        tenant_id text not null,
        environment_id text not null,
        kind text not null,
        rank smallint not null,
        customer_id text not null,
        subject_id text not null,
        due_at timestamptz not null,
        attempts integer not null default 0,
        retry_at timestamptz,
        parked_at timestamptz,
        last_error text,
        primary key (environment_id, kind, subject_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );
      create index due_work_by_instant on due_work (environment_id, due_at, rank, customer_id);
      create index due_work_by_customer on due_work (environment_id, customer_id, due_at, rank);
      create index due_work_held_up on due_work (environment_id, customer_id) where parked_at is not null or retry_at is not null;

      create table idempotency_key (
        environment_id text not null,
        key text not null,
        tenant_id text not null,
        fingerprint text not null,
        answer jsonb not null,
        created_at timestamptz not null,
        primary key (environment_id, key),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );
      create index idempotency_key_by_age on idempotency_key (created_at);
    `);
  }
}
