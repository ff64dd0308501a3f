import { Migration } from '@mikro-orm/migrations';

/** How invoices are paid: payments, attempts, receipts, hosted pages, dunning; and how money goes back. */
export class PaymentsMigration extends Migration {
  override up(): void {
    this.payments();
    this.hostedPages();
    this.reversals();
    this.dunning();
  }

  /** One open collection per invoice, one open attempt per invoice, and money counted once: unique indexes, not ifs. */
  private payments(): void {
    this.addSql(`
      create table payment (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        method_type text not null check (method_type in ('CARD', 'PAYMENT_LINK', 'OFFLINE', 'CREDITS')),
        status text not null
          check (status in ('INITIATED', 'PENDING', 'PROCESSING', 'SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'FAILED')),
        amount numeric(38,12) not null check (amount > 0 and amount <> 'NaN'),
        currency text not null,
        payment_method_id text,
        gateway_payment_id text,
        error_code text,
        error_message text,
        save_method boolean not null default false,
        return_urls jsonb check (return_urls is null or method_type = 'PAYMENT_LINK'),
        request_key text,
        metadata jsonb not null default '{}',
        succeeded_at timestamptz check ((succeeded_at is null) = (status not in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'))),
        failed_at timestamptz check ((failed_at is null) = (status <> 'FAILED')),
        refunded_at timestamptz check ((refunded_at is null) = (status not in ('PARTIALLY_REFUNDED', 'REFUNDED'))),
        archived_at timestamptz check (archived_at is null or status in ('INITIATED', 'FAILED')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, request_key),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create unique index payment_open on payment (environment_id, invoice_id) where status in ('PENDING', 'PROCESSING');
      create unique index payment_by_card on payment (environment_id, invoice_id) where method_type = 'CARD';
      create index payment_by_invoice on payment (environment_id, invoice_id);
      create index payment_by_age on payment (environment_id, created_at desc, id desc);
      create index payment_by_gateway_id on payment (environment_id, gateway_payment_id);

      create table payment_attempt (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        payment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        number integer not null check (number > 0),
        cause text not null,
        request jsonb not null,
        state text not null
          check (state in ('created', 'sent', 'unknown', 'processing', 'succeeded', 'failed', 'requires_customer')),
        times_asked integer not null default 0,
        gateway_payment_id text,
        error_code text,
        error_message text,
        hard boolean not null default false,
        sent_at timestamptz,
        settled_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, payment_id, number),
        unique (environment_id, invoice_id, cause),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, payment_id) references payment (environment_id, id) deferrable initially deferred
      );
      create unique index payment_attempt_open on payment_attempt (environment_id, invoice_id)
        where state in ('created', 'sent', 'unknown', 'processing');

      create table payment_receipt (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        payment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        gateway_payment_id text not null,
        amount numeric(38,12) not null check (amount > 0 and amount <> 'NaN'),
        currency text not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, gateway_payment_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, payment_id) references payment (environment_id, id) deferrable initially deferred
      );
      create index payment_receipt_by_invoice on payment_receipt (environment_id, invoice_id);
    `);
  }

  private hostedPages(): void {
    this.addSql(`
      create table checkout_session (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        mode text not null check (mode in ('top_up', 'setup', 'invoice')),
        invoice_id text check ((invoice_id is null) = (mode = 'setup')),
        payment_id text check ((payment_id is null) = (mode = 'setup')),
        status text not null check (status in ('created', 'open', 'complete', 'expired', 'failed')),
        request jsonb not null,
        gateway_session_id text,
        url text,
        expires_at timestamptz not null,
        settled_at timestamptz check ((settled_at is null) = (status in ('created', 'open'))),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, gateway_session_id),
        unique (environment_id, payment_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, payment_id) references payment (environment_id, id) deferrable initially deferred
      );
      create index checkout_session_open on checkout_session (environment_id, invoice_id) where status = 'open';
      create index checkout_session_by_age on checkout_session (environment_id, created_at desc, id desc);
    `);
  }

  /** Money on its way back. Nothing goes back twice: unique by our id, the caller's key and the gateway's id. */
  private reversals(): void {
    this.addSql(`
      create table refund (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        receipt_id text not null,
        payment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        origin text not null check (origin in ('request', 'account_credit', 'gateway')),
        amount numeric(38,12) not null check (amount > 0 and amount <> 'NaN'),
        currency text not null,
        credits numeric(38,12) not null default 0 check (credits >= 0 and credits <> 'NaN'),
        reason text,
        request jsonb,
        state text not null check (state in ('created', 'sent', 'unknown', 'pending', 'succeeded', 'failed')),
        times_asked integer not null default 0,
        gateway_refund_id text,
        error_code text,
        error_message text,
        request_key text,
        metadata jsonb not null,
        sent_at timestamptz,
        settled_at timestamptz check ((settled_at is null) = (state not in ('succeeded', 'failed'))),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, request_key),
        unique (environment_id, gateway_refund_id),
        check (origin <> 'gateway' or gateway_refund_id is not null),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, receipt_id) references payment_receipt (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, payment_id) references payment (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create index refund_by_payment on refund (environment_id, payment_id, created_at desc, id desc);
      create index refund_by_receipt on refund (environment_id, receipt_id);

      create table dispute (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        receipt_id text not null,
        payment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        gateway_dispute_id text not null,
        amount numeric(38,12) not null check (amount > 0 and amount <> 'NaN'),
        currency text not null,
        credits numeric(38,12) not null default 0 check (credits >= 0 and credits <> 'NaN'),
        credits_set_aside numeric(38,12) not null default 0 check (credits_set_aside >= 0 and credits_set_aside <= credits),
        reason text not null,
        stage text not null check (stage in ('open', 'won', 'lost')),
        closed_at timestamptz check ((closed_at is null) = (stage = 'open')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, gateway_dispute_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, receipt_id) references payment_receipt (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, payment_id) references payment (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create index dispute_by_age on dispute (environment_id, created_at desc, id desc);
      create index dispute_by_receipt on dispute (environment_id, receipt_id);
    `);
  }

  /** What is done about an invoice that is declined or overdue; by which policy stands frozen beside it. */
  private dunning(): void {
    this.addSql(`
      create table dunning_policy (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        retry_days jsonb not null,
        ending text not null check (ending in ('keep', 'cancel', 'pause')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );

      create table dunning (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        subscription_id text,
        state text not null check (state in ('running', 'healed', 'withdrawn', 'exhausted')),
        steps jsonb not null,
        steps_taken integer not null default 0 check (steps_taken between 0 and jsonb_array_length(steps)),
        ending text not null check (ending in ('keep', 'cancel', 'pause')),
        pause_id text check (pause_id is null or ending = 'pause'),
        ended_at timestamptz check ((ended_at is null) = (state = 'running')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, invoice_id),
        check (state <> 'exhausted' or steps_taken = jsonb_array_length(steps)),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      );
      create index dunning_running on dunning (environment_id, customer_id) where state = 'running';
    `);
  }
}
