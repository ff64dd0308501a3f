import { Migration } from '@mikro-orm/migrations';

/**
 * Customers. The row is also the lock that everything touching a customer takes first. `live` is as in the catalogue:
 * what needs a published customer references it, so the database refuses to archive one that is still in use.
 */
export class CustomersMigration extends Migration {
  override up(): void {
    this.addSql(`
      create table customer (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        external_id text not null check (external_id <> ''),
        name text,
        email text,
        address_line1 text,
        address_line2 text,
        address_city text,
        address_state text,
        address_postal_code text,
        address_country text,
        timezone text not null,
        metadata jsonb not null,
        status text not null check (status in ('published', 'archived')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        live boolean generated always as (nullif(status = 'published', false)) stored,
        unique (environment_id, id),
        unique (environment_id, id, live),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );
      create unique index customer_external_id on customer (environment_id, external_id) where status = 'published';
      create index customer_by_age on customer (environment_id, created_at desc, id desc);
      create index customer_by_email on customer (environment_id, email);
    `);
  }
}
