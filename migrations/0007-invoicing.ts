import { Migration } from '@mikro-orm/migrations';

/** Invoices and their lines, the counters of their numbers, account credit, credit purchases. */
export class InvoicingMigration extends Migration {
  override up(): void {
    this.invoices();
    this.immutability();
  }

  private invoices(): void {
    this.addSql(`
      create table invoice (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        subscription_id text,
        kind text check (kind in ('start', 'cycle', 'final', 'change')),
        change_id text check ((change_id is not null) = (kind = 'change')),
        period_id text,
        ended_period_id text,
        sequence integer,
        type text not null check (type in ('SUBSCRIPTION', 'CREDIT', 'ONE_OFF')),
        billing_reason text not null check (billing_reason in ('SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE', 'SUBSCRIPTION_UPDATE', 'MANUAL')),
        status text not null check (status in ('DRAFT', 'FINALIZED', 'VOIDED')),
        payment_status text not null check (payment_status in ('PENDING', 'FAILED', 'SUCCEEDED', 'OVERPAID')),
        currency text not null check (currency ~ '^[a-z]{3}$'),
        number text check ((number is null) = (status = 'DRAFT')),
        description text,
        period_start timestamptz,
        period_end timestamptz,
        subtotal numeric(38,12) not null default 0 check (subtotal <> 'NaN'),
        total_discount numeric(38,12) not null default 0 check (total_discount <> 'NaN'),
        total_credits_applied numeric(38,12) not null default 0 check (total_credits_applied <> 'NaN'),
        total numeric(38,12) not null default 0 check (total >= 0 and total <> 'NaN'),
        amount_paid numeric(38,12) not null default 0 check (amount_paid >= 0 and amount_paid <> 'NaN'),
        amount_remaining numeric(38,12) not null default 0 check (amount_remaining >= 0 and amount_remaining <> 'NaN'),
        account_credit_given numeric(38,12) not null default 0 check (account_credit_given >= 0 and account_credit_given <> 'NaN'),
        account_credit_applied numeric(38,12) not null default 0 check (account_credit_applied >= 0 and account_credit_applied <> 'NaN'),
        account_carried numeric(38,12) not null default 0 check (account_carried <> 'NaN' and account_carried <= total),
        overpaid_amount numeric(38,12) not null default 0 check (overpaid_amount >= 0 and overpaid_amount <> 'NaN'),
        refunded_amount numeric(38,12) not null default 0 check (refunded_amount >= 0 and refunded_amount <> 'NaN'),
        disputed_amount numeric(38,12) not null default 0 check (disputed_amount >= 0 and disputed_amount <> 'NaN'),
        due_date timestamptz,
        finalized_at timestamptz check ((finalized_at is null) = (status = 'DRAFT')),
        paid_at timestamptz check ((paid_at is null) = (payment_status in ('PENDING', 'FAILED'))),
        voided_at timestamptz check ((voided_at is null) = (status <> 'VOIDED')),
        request_key text check (request_key is null or type = 'ONE_OFF'),
        payment_token text unique check ((payment_token is null) = (status = 'DRAFT')),
        metadata jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        check (total - account_credit_given = subtotal - total_discount - total_credits_applied),
        check ((subscription_id is null) = (kind is null) and (kind is null) = (period_id is null)),
        unique (environment_id, id),
        unique (environment_id, number),
        unique (environment_id, request_key),
        unique (environment_id, change_id),
        unique (environment_id, ended_period_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, subscription_id) references subscription (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, period_id) references subscription_period (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, ended_period_id) references subscription_period (environment_id, id) deferrable initially deferred
      );
      create unique index invoice_of_step on invoice (environment_id, subscription_id, period_id, kind) where kind <> 'change';
      create index invoice_by_age on invoice (environment_id, created_at desc, id desc);
      create index invoice_by_customer on invoice (environment_id, customer_id, created_at desc, id desc);
      create index invoice_by_subscription on invoice (environment_id, subscription_id, created_at desc, id desc);
      create index invoice_unpaid on invoice (environment_id, customer_id) where status = 'FINALIZED' and paid_at is null;

      create table invoice_line (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        invoice_id text not null,
        position integer not null check (position >= 0),
        customer_id text not null,
        subscription_id text,
        line_item_id text,
        price_id text,
        price_type text check (price_type in ('FIXED', 'USAGE')),
        plan_id text,
        plan_display_name text,
        meter_id text,
        meter_display_name text,
        display_name text not null,
        currency text not null,
        period_start timestamptz,
        period_end timestamptz,
        quantity numeric(38,12) not null check (quantity <> 'NaN'),
        free_units numeric(38,12) not null check (free_units <> 'NaN'),
        gross numeric(38,12) not null check (gross <> 'NaN'),
        waived numeric(38,12) not null check (waived <> 'NaN'),
        credits_applied numeric(38,12) not null check (credits_applied <> 'NaN'),
        due numeric(38,12) not null check (due <> 'NaN'),
        commitment jsonb check (commitment is null or price_type = 'FIXED'),
        metadata jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        check (due = gross - waived - credits_applied),
        unique (environment_id, id),
        unique (environment_id, invoice_id, position),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred
      );
      create index invoice_line_of_item on invoice_line (line_item_id, period_start) where line_item_id is not null;

      create table invoice_link (
        hash text primary key,
        tenant_id text not null,
        environment_id text not null,
        invoice_id text not null,
        expires_at timestamptz not null,
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) on delete cascade deferrable initially deferred
      );
      create index invoice_link_by_invoice on invoice_link (environment_id, invoice_id);

      create table invoice_number (
        environment_id text not null,
        month text not null check (month ~ '^[0-9]{6}$'),
        tenant_id text not null,
        last integer not null check (last > 0),
        primary key (environment_id, month),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred
      );

      create table account_credit_entry (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        currency text not null check (currency ~ '^[a-z]{3}$'),
        invoice_id text not null,
        kind text not null
          check (kind in ('given', 'applied', 'carried', 'collected', 'returned', 'paid_out', 'paid_back')),
        refund_id text check ((refund_id is not null) = (kind in ('paid_out', 'paid_back'))),
        amount numeric(38,12) not null
          check (amount <> 'NaN' and amount <> 0 and (kind = 'returned' or (amount < 0) = (kind in ('applied', 'carried', 'paid_out')))),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique nulls not distinct (environment_id, invoice_id, kind, refund_id),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred
      );
      create index account_credit_entry_by_customer on account_credit_entry (environment_id, customer_id, currency);

      create table credit_purchase (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        invoice_id text not null,
        customer_id text not null,
        wallet_id text not null,
        automatic boolean not null,
        credits numeric(38,12) not null check (credits > 0 and credits <> 'NaN'),
        priority integer,
        expires_at timestamptz,
        description text,
        metadata jsonb not null,
        state text not null check (state in ('pending', 'granted', 'dropped', 'stranded')),
        lot_id text check ((lot_id is null) = (state <> 'granted')),
        request_key text,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, invoice_id),
        unique (environment_id, wallet_id, request_key),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, invoice_id) references invoice (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, wallet_id) references wallet (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, lot_id) references lot (environment_id, id) deferrable initially deferred
      );
      create index credit_purchase_pending on credit_purchase (environment_id, wallet_id) where state = 'pending';
      create unique index credit_purchase_automatic on credit_purchase (environment_id, wallet_id)
        where automatic and state = 'pending';
    `);
  }

  /** What was finalized can be paid or withdrawn; what it says never changes, whoever asks. */
  private immutability(): void {
    this.addSql(`
      create function finalized_invoice_is_immutable() returns trigger language plpgsql as $$
      begin
        if old.status = 'DRAFT' then
          return case tg_op when 'DELETE' then old else new end;
        end if;
        if tg_op = 'DELETE' or new.status = 'DRAFT'
          or (new.customer_id, new.subscription_id, new.kind, new.period_id, new.ended_period_id, new.type,
              new.currency, new.number, new.period_start, new.period_end, new.finalized_at,
              new.subtotal, new.total_discount, new.total_credits_applied, new.total,
              new.account_credit_given, new.account_credit_applied, new.account_carried)
            is distinct from
             (old.customer_id, old.subscription_id, old.kind, old.period_id, old.ended_period_id, old.type,
              old.currency, old.number, old.period_start, old.period_end, old.finalized_at,
              old.subtotal, old.total_discount, old.total_credits_applied, old.total,
              old.account_credit_given, old.account_credit_applied, old.account_carried) then
          raise exception 'invoice % is finalized: % refused', old.id, tg_op using errcode = 'restrict_violation';
        end if;
        return new;
      end $$;
      create trigger finalized_invoice_is_immutable before update or delete on invoice
        for each row execute function finalized_invoice_is_immutable();

      create function finalized_lines_are_immutable() returns trigger language plpgsql as $$
      declare
        line record := case tg_op when 'DELETE' then old else new end;
      begin
        if exists (select from invoice i
                   where i.environment_id = line.environment_id and i.id = line.invoice_id and i.status <> 'DRAFT') then
          raise exception 'invoice % is finalized: % of a line refused', line.invoice_id, tg_op
            using errcode = 'restrict_violation';
        end if;
        return line;
      end $$;
      create trigger finalized_lines_are_immutable before insert or update or delete on invoice_line
        for each row execute function finalized_lines_are_immutable();
    `);
  }
}
