import { Migration } from '@mikro-orm/migrations';

/** Wallets, their lots, the append-only ledger of every movement of credits, and what holds keep of which lot. */
export class WalletsMigration extends Migration {
  override up(): void {
    this.addSql(`
      create table wallet (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        name text,
        description text,
        currency text not null check (currency ~ '^[a-z]{3}$'),
        conversion_rate numeric(38,12) not null check (conversion_rate > 0 and conversion_rate <> 'NaN'),
        topup_conversion_rate numeric(38,12) not null check (topup_conversion_rate > 0 and topup_conversion_rate <> 'NaN'),
        status text not null check (status in ('active', 'frozen', 'closed')),
        allowed_price_types text[] not null,
        opened_by_grant boolean not null,
        auto_topup jsonb,
        auto_topup_state jsonb,
        alert_settings jsonb,
        alert_level text not null check (alert_level in ('ok', 'info', 'warning', 'critical')),
        metadata jsonb not null,
        credit_balance numeric(38,12) not null default 0 check (credit_balance >= 0 and credit_balance <> 'NaN'),
        debt numeric(38,12) not null default 0 check (debt >= 0 and debt <> 'NaN'),
        spendable numeric(38,12) check (spendable <> 'NaN'),
        watch_low numeric(38,12),
        watch_high numeric(38,12),
        entry_seq bigint not null default 0,
        entry_hash bytea not null default '\\x',
        created_at timestamptz not null,
        updated_at timestamptz not null,
        live boolean generated always as (nullif(status <> 'closed', false)) stored,
        unique (environment_id, id),
        constraint wallet_live_customer foreign key (environment_id, customer_id, live)
          references customer (environment_id, id, live),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      ) with (fillfactor = 50);
      create index wallet_by_customer on wallet (customer_id, currency);
      create index wallet_by_age on wallet (environment_id, created_at desc, id desc);

      create table lot (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        wallet_id text not null,
        source text not null check (source in ('grant', 'free', 'purchase', 'initial')),
        priority integer,
        effective_at timestamptz not null,
        expires_at timestamptz check (expires_at > effective_at),
        granted numeric(38,12) not null check (granted > 0 and granted <> 'NaN'),
        remaining numeric(38,12) not null check (remaining between 0 and granted),
        held numeric(38,12) not null default 0 check (held between 0 and remaining),
        exhausted boolean generated always as (remaining = 0) stored,
        written_off_at timestamptz check (written_off_at is null or remaining = held),
        business_key text not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (wallet_id, id, environment_id),
        unique (environment_id, business_key),
        foreign key (environment_id, wallet_id) references wallet (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      ) with (fillfactor = 50);
      create index lot_with_credits on lot (wallet_id) where not exhausted;

      create table ledger_entry (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        wallet_id text not null,
        seq bigint not null check (seq > 0),
        customer_id text not null,
        lot_id text not null,
        kind text not null
          check (kind in ('add', 'burn', 'return', 'write_off', 'terminate', 'debit', 'fee', 'fee_return',
                          'reversal', 'reversal_return', 'debt_payment', 'debt_return')),
        credits numeric(38,12) not null check (credits <> 0 and credits <> 'NaN'),
        balance_after numeric(38,12) not null check (balance_after >= 0 and balance_after <> 'NaN'),
        lot_remaining_after numeric(38,12) not null check (lot_remaining_after >= 0 and lot_remaining_after <> 'NaN'),
        cause_type text not null,
        cause_id text not null,
        line_item_id text,
        period_id text,
        business_key text not null,
        at timestamptz not null,
        reason text not null,
        reference_type text,
        reference_id text,
        description text,
        metadata jsonb not null,
        prev_hash bytea not null,
        hash bytea not null,
        unique (environment_id, business_key),
        unique (wallet_id, seq),
        foreign key (wallet_id, lot_id, environment_id) references lot (wallet_id, id, environment_id)
          deferrable initially deferred
      );
      create index ledger_entry_by_age on ledger_entry (environment_id, at desc, seq desc, id desc);
      create index ledger_entry_by_cause on ledger_entry (cause_id);
      create index ledger_entry_by_lot on ledger_entry (lot_id);

      create table credit_reversal (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        wallet_id text not null,
        lot_id text not null,
        kind text not null check (kind in ('refund', 'loss')),
        credits numeric(38,12) not null check (credits > 0 and credits <> 'NaN'),
        taken numeric(38,12) not null check (taken between 0 and credits),
        debt_paid numeric(38,12) not null check (debt_paid between 0 and credits - taken),
        business_key text not null,
        undone_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (environment_id, id),
        unique (environment_id, business_key),
        check (kind = 'loss' or taken = credits),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, wallet_id) references wallet (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, lot_id) references lot (environment_id, id) deferrable initially deferred
      );
      create index credit_reversal_by_wallet on credit_reversal (environment_id, wallet_id);
      create index credit_reversal_by_lot on credit_reversal (environment_id, lot_id);

      create table hold (
        id text primary key,
        tenant_id text not null,
        environment_id text not null,
        customer_id text not null,
        currency text,
        event_name text,
        properties jsonb,
        credits numeric(38,12) not null check (credits >= 0 and credits <> 'NaN'),
        status text not null check (status in ('open', 'captured', 'released', 'expired')),
        idempotency_key text,
        request_hash bytea not null,
        event_id text,
        credits_captured numeric(38,12) not null default 0 check (credits_captured <> 'NaN'),
        shortfall numeric(38,12) not null default 0 check (shortfall >= 0 and shortfall <> 'NaN'),
        created_at timestamptz not null,
        expires_at timestamptz not null check (expires_at > created_at),
        ended_at timestamptz,
        unique (environment_id, id),
        check ((event_name is null) = (properties is null)),
        check ((status = 'open') = (ended_at is null)),
        foreign key (tenant_id, environment_id) references environment (tenant_id, id) deferrable initially deferred,
        foreign key (environment_id, customer_id) references customer (environment_id, id) deferrable initially deferred
      ) with (fillfactor = 70);
      create unique index hold_by_key on hold (environment_id, idempotency_key) where idempotency_key is not null;
      create index hold_open on hold (environment_id, customer_id, expires_at) where status = 'open';
      create index hold_by_age on hold (environment_id, created_at desc, id desc);

      create table hold_lot (
        environment_id text not null,
        hold_id text not null,
        lot_id text not null,
        place smallint not null,
        credits numeric(38,12) not null check (credits > 0 and credits <> 'NaN'),
        primary key (environment_id, hold_id, lot_id),
        foreign key (environment_id, hold_id) references hold (environment_id, id) deferrable initially deferred,
        foreign key (environment_id, lot_id) references lot (environment_id, id) deferrable initially deferred
      );

      create function ledger_is_append_only() returns trigger language plpgsql as $$
      begin
        raise exception 'the ledger is append-only: % refused', tg_op using errcode = 'restrict_violation';
      end $$;
      create trigger ledger_is_append_only before update or delete on ledger_entry
        for each row execute function ledger_is_append_only();
      create trigger ledger_is_never_emptied before truncate on ledger_entry
        for each statement execute function ledger_is_append_only();
    `);
  }
}
