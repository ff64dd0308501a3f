import { realTime, Transactions, type Scope, type Sql } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import type Stripe from 'stripe';
import { Checkouts } from './checkouts.js';
import { customerOf, handledTypes, noticeOf, paymentIntentOf, type Notice } from './event-topics.js';
import { StripeAccount } from './stripe-account.js';
import { idOf, nullIfMissing, StripeApi } from './stripe-api.js';
import { StripeCustomers, type Owner } from './stripe-customers.js';
import { StripeInbox } from './stripe-inbox.js';

/** How far before the newest event seen a sweep begins again: what became visible late is still found. */
const OVERLAP_SECONDS = 300;
/** Where the very first sweep begins; before it there was nothing of ours. */
const FIRST_LOOK_BACK_SECONDS = 3600;
/** A sweep that died with its process is taken over after this time, shorter than the time between two. */
const CLAIM_SECONDS = 240;
/** An open page is looked at so often, and so many at once. */
const LOOK_AGAIN_SECONDS = 600;
const PAGES_AT_ONCE = 100;
/** Beyond the 30 days in which Stripe may send an event once more its row is of no use. */
const KEEP_SETTLED_DAYS = 35;

/** Finds what no webhook has told: everything at Stripe that concerns us is known within 15 minutes without any. */
@Injectable()
export class Reconciliation {
  private readonly log = new Logger(Reconciliation.name);

  constructor(
    private readonly api: StripeApi,
    private readonly account: StripeAccount,
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
    private readonly customers: StripeCustomers,
    private readonly checkouts: Checkouts,
    private readonly inbox: StripeInbox,
  ) {}

  /** Puts into the inboxes every event since the last sweep. One process at a time; the others leave. */
  async sweepEvents(): Promise<void> {
    await this.account.assertOurs();
    const since = await this.claimEvents();
    if (since === null) return;
    let seen = since;
    try {
      seen = await this.keepSince(since);
    } finally {
      await sql`
        update stripe_sweep set seen_until = greatest(seen_until, ${seen}), claimed_until = now()
        where name = 'events'`.execute(this.db());
    }
  }

  /** Looks at hosted pages that have been open for a while; those of one process are not looked at by another. */
  async sweepCheckouts(): Promise<void> {
    const claimed = await sql<{ id: string; tenant_id: string; environment_id: string }>`
      with stale as (
        select id from stripe_checkout
        where status = 'open' and read_at <= now() - make_interval(secs => ${LOOK_AGAIN_SECONDS})
        order by read_at limit ${PAGES_AT_ONCE} for update skip locked)
      update stripe_checkout c set read_at = now() from stale where c.id = stale.id
      returning c.id, c.tenant_id, c.environment_id`.execute(this.db());
    for (const { id, tenant_id: tenantId, environment_id: environmentId } of claimed.rows) {
      await this.checkouts
        .refresh({ tenantId, environmentId }, id)
        .catch((error: Error) => this.log.warn(`${id} could not be looked at: ${error.message}`));
    }
  }

  /** Forgets settled events that Stripe can't send any more. */
  async forget(): Promise<void> {
    await sql`
      delete from stripe_event
      where status in ('handled', 'ignored') and settled_at < now() - make_interval(days => ${KEEP_SETTLED_DAYS})`.execute(
      this.db(),
    );
  }

  /** Up to when events were seen; null while another process is sweeping. */
  private async claimEvents(): Promise<Date | null> {
    const begin = new Date(realTime().getTime() - FIRST_LOOK_BACK_SECONDS * 1000);
    const claimed = await sql<{ seen_until: string }>`
      insert into stripe_sweep (name, seen_until, claimed_until)
      values ('events', ${begin}, now() + make_interval(secs => ${CLAIM_SECONDS}))
      on conflict (name) do update set claimed_until = excluded.claimed_until
      where stripe_sweep.claimed_until <= now()
      returning seen_until`.execute(this.db());
    const row = claimed.rows[0];
    return row ? new Date(row.seen_until) : null;
  }

  /** Keeps the events since then, newest first; only when none is left out the newest is where to go on. */
  private async keepSince(since: Date): Promise<Date> {
    let newest = since;
    const gte = Math.floor(since.getTime() / 1000) - OVERLAP_SECONDS;
    const pages = this.api.pages((stripe, page, options) =>
      stripe.events.list({ types: handledTypes, created: { gte }, ...page }, options),
    );
    for await (const page of pages) {
      await this.keep(page);
      for (const { happenedAt } of page.map(noticeOf)) if (happenedAt > newest) newest = happenedAt;
    }
    return newest;
  }

  /** Sorts events to the environments whose customers they are about; others at the same account are not ours. */
  private async keep(events: readonly Stripe.Event[]): Promise<void> {
    const customers = new Map<string, string>();
    for (const event of events) {
      const customer = customerOf(event) ?? (await this.payerOf(event));
      if (customer) customers.set(event.id, customer);
    }
    const owners = await this.customers.owners([...customers.values()]);
    const byEnvironment = new Map<string, { scope: Scope; notices: Notice[] }>();
    for (const event of events) {
      const owner = owners.get(customers.get(event.id) ?? '');
      if (!owner) continue;
      const group = byEnvironment.get(owner.environmentId) ?? { scope: scopeOf(owner), notices: [] };
      group.notices.push(noticeOf(event));
      byEnvironment.set(owner.environmentId, group);
    }
    for (const { scope, notices } of byEnvironment.values()) {
      await this.transactions.run(scope, (tx) => this.inbox.keep(tx, notices));
    }
  }

  /** A dispute names no customer, only what the customer has paid. */
  private async payerOf(event: Stripe.Event): Promise<string | null> {
    const intentId = paymentIntentOf(event);
    if (!intentId) return null;
    const intent = await this.api
      .read((stripe, options) => stripe.paymentIntents.retrieve(intentId, {}, options))
      .catch(nullIfMissing);
    return idOf(intent?.customer);
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}

const scopeOf = ({ tenantId, environmentId }: Owner): Scope => ({ tenantId, environmentId });
