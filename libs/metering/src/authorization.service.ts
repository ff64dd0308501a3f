import { Decimal, sum, text, ZERO } from '@drawdown/billing-core';
import { FeaturesService } from '@drawdown/features';
import { Agenda, newId, Problem, type Caller, type Tx } from '@drawdown/platform';
import {
  EntitledFeatures,
  SubscriptionsService,
  type AggregatedFeature,
  type Entitled,
  type UsageItem,
} from '@drawdown/subscriptions';
import { HoldsService, type Hold, type NewHold } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { Authorizer, type Standing, type Verdict, type Wanted } from './authorizer.js';
import type { AuthorizationView, AuthorizeBody } from './credits.dto.js';
import { CustomerLanes } from './customer-lanes.js';
import { CustomerLocks, type Patience } from './customer-locks.js';
import type { GroupOutcome } from './group-lane.js';
import { countUse, limitOf, type Counted } from './limited-use.js';
import { repeatedOnRace } from './repeated-on-race.js';
import { UsageBurner } from './usage-burner.js';

const DEFAULT_SECONDS = 900;
const LIMITS = { waiting: 5_000, group: 500 };
/** Name of the index that lets an idempotency key in only once. */
export const HOLD_KEY = 'hold_by_key';

/** A request whose customer is known and locked. */
interface Asked {
  readonly body: AuthorizeBody;
  readonly customerId: string;
  readonly wanted: Wanted;
  readonly requestHash: Buffer;
}

type Outcome = GroupOutcome<AuthorizationView>;

/** "May it, and keep it": requests of one customer share transactions, each seeing what those before it have kept. */
@Injectable()
export class AuthorizationService {
  private readonly lanes: CustomerLanes<AuthorizeBody, AuthorizationView>;

  constructor(
    private readonly agenda: Agenda,
    private readonly features: FeaturesService,
    private readonly subscriptions: SubscriptionsService,
    private readonly entitled: EntitledFeatures,
    private readonly burner: UsageBurner,
    private readonly holds: HoldsService,
    private readonly locks: CustomerLocks,
  ) {
    this.lanes = new CustomerLanes({
      limits: LIMITS,
      sizeOf: () => 1,
      namesOf: (body) => [body.customer_id ?? body.external_customer_id!],
      take: (caller, bodies, patience) =>
        repeatedOnRace(HOLD_KEY, () =>
          agenda.runCurrent(caller, (tx, current) => this.take(tx, bodies, current, patience)),
        ),
    });
  }

  /** Commits before it answers. @throws Problem 400, 404, 409 for a key used with another request, 503 when too many wait. */
  async authorize(caller: Caller, body: AuthorizeBody): Promise<AuthorizationView> {
    assertOneWish(body);
    return this.lanes.submit(caller, body);
  }

  /** As `authorize`, inside the caller's transaction, to be repeated on a race for `HOLD_KEY`. */
  async authorizeIn(tx: Tx, body: AuthorizeBody): Promise<AuthorizationView> {
    assertOneWish(body);
    const current = async ([customerId]: readonly string[]) => this.agenda.catchUp(tx, customerId!);
    const [outcome] = await this.take(tx, [body], current, 'long');
    if (outcome instanceof Error) throw outcome;
    return outcome!;
  }

  private async take(
    tx: Tx,
    bodies: readonly AuthorizeBody[],
    current: (customerIds: readonly string[]) => Promise<void>,
    patience: Patience,
  ): Promise<Outcome[]> {
    const asked = await this.resolveAll(tx, bodies, patience);
    const customerIds = [...new Set(asked.flatMap((one) => (one instanceof Error ? [] : one.customerId)))];
    if (customerIds.length === 0) return asked as Error[];
    await current(customerIds);
    const authorizer = await this.open(tx, customerIds, asked);
    const keys = bodies.flatMap(({ idempotency_key: key }) => key ?? []);
    const known = new Map((await this.holds.byKeys(tx, keys)).map((hold) => [hold.idempotencyKey!, hold]));
    const kept: NewHold[] = [];
    const outcomes = asked.map((one): Outcome => {
      if (one instanceof Error) return one;
      try {
        return this.decide(tx, authorizer, one, known, kept);
      } catch (error) {
        if (error instanceof Problem) return error;
        throw error;
      }
    });
    await this.holds.keep(tx, kept);
    return outcomes;
  }

  private decide(
    tx: Tx,
    authorizer: Authorizer,
    asked: Asked,
    known: Map<string, Pick<Hold, 'id' | 'customerId' | 'currency' | 'credits' | 'requestHash'>>,
    kept: NewHold[],
  ): AuthorizationView {
    const { body, customerId } = asked;
    const before = body.idempotency_key ? known.get(body.idempotency_key) : undefined;
    const balance = (currency: string | null) => text(currency ? authorizer.balance(customerId, currency) : ZERO);
    if (before) {
      if (!before.requestHash.equals(asked.requestHash)) throw keyConflict();
      const { id, credits, currency } = before;
      return { id, allowed: true, reason: null, credits_held: text(credits), balance: balance(currency) };
    }
    const verdict = authorizer.ask(customerId, asked.wanted);
    const { reason, currency } = verdict;
    const hold = reason === null && body.hold !== false && newHold(tx, asked, verdict);
    if (!hold) {
      authorizer.drop(verdict);
      return { id: null, allowed: reason === null, reason, credits_held: '0', balance: balance(currency) };
    }
    authorizer.keep(customerId, verdict);
    kept.push(hold);
    if (hold.idempotencyKey) known.set(hold.idempotencyKey, hold);
    const { id, credits } = hold;
    return { id, allowed: true, reason: null, credits_held: text(credits), balance: balance(currency) };
  }

  /**
   * Whose each request is and what it wants, or what is wrong with it. Their customers are locked from here on, but those
   * whom somebody else has locked, whose requests must wait.
   */
  private async resolveAll(tx: Tx, bodies: readonly AuthorizeBody[], patience: Patience): Promise<(Asked | Error)[]> {
    const ids = bodies.flatMap(({ customer_id: id }) => id || []);
    const externalIds = bodies.flatMap((body) => (body.customer_id ? [] : body.external_customer_id!));
    const names = { ids: [...new Set(ids)], externalIds: [...new Set(externalIds)] };
    const found = (await this.locks.take(tx, names, patience)).filter((customer) => customer.isPublished);
    const byId = new Map(found.map((customer) => [customer.id, customer]));
    const byExternalId = new Map(found.map((customer) => [customer.externalId, customer]));
    const features = await this.features.named(
      tx,
      bodies.flatMap(({ feature }) => feature ?? []),
    );
    return bodies.map((body): Asked | Error => {
      const { customer_id: id, external_customer_id: externalId } = body;
      const customer = id ? byId.get(id) : byExternalId.get(externalId!);
      if (!customer) return Problem.notFound('customer', (id || externalId)!);
      const wanted = wantedBy(body, features);
      if (wanted instanceof Error) return wanted;
      return customer.busy ?? { body, customerId: customer.id, wanted, requestHash: requestHash(body) };
    });
  }

  private async open(tx: Tx, customerIds: readonly string[], asked: readonly (Asked | Error)[]): Promise<Authorizer> {
    const items = (await this.subscriptions.usageItems(tx, customerIds, tx.now, tx.now)).filter(
      ({ period }) => period.open,
    );
    const { fold, purses } = await this.burner.openWithPurses(tx, customerIds, items);
    fold.settle(tx.now);
    if (fold.coverage.changed().length > 0)
      await this.burner.record(tx, fold, { type: 'usage_batch', id: newId('batch') });
    const standings = await this.standings(tx, asked, items);
    return new Authorizer(fold, purses, standings, await this.holds.openUses(tx, customerIds), tx.now);
  }

  /** Of the customers who ask for a use or a feature. */
  private async standings(
    tx: Tx,
    asked: readonly (Asked | Error)[],
    items: readonly UsageItem[],
  ): Promise<ReadonlyMap<string, Standing>> {
    const events = new Map<string, Set<string>>();
    for (const one of asked) {
      if (one instanceof Error || one.wanted.kind === 'credits') continue;
      const names = events.get(one.customerId) ?? new Set();
      const name = one.wanted.kind === 'use' ? one.wanted.eventName : one.wanted.meter?.eventName;
      events.set(one.customerId, name === undefined ? names : names.add(name));
    }
    if (events.size === 0) return new Map();
    const standings = new Map<string, Standing>();
    for (const [customerId, entitled] of await this.entitled.ofCustomers(tx, [...events.keys()])) {
      const pricedMeters = new Set(items.flatMap((item) => (item.customerId === customerId ? item.meterId : [])));
      const limited = limitedBy(entitled, events.get(customerId)!, pricedMeters);
      const counted = new Map<string, Counted>();
      for (const given of limited) {
        const limit = limitOf(given, entitled.subscriptions, tx.now);
        if (limit) counted.set(limit.meter.id, await countUse(tx, customerId, limit));
      }
      const currency = entitled.subscriptions[0]?.currency ?? null;
      standings.set(customerId, { currency, features: entitled.features, counted, pricedMeters });
    }
    return standings;
  }
}

/** What has a hard limit and no price, and counts events of these names: its use has to be counted. */
const limitedBy = (
  { features }: Entitled,
  eventNames: ReadonlySet<string>,
  pricedMeters: ReadonlySet<string>,
): AggregatedFeature[] =>
  features.filter(
    ({ meter, entitlement }) =>
      meter !== null &&
      !pricedMeters.has(meter.id) &&
      eventNames.has(meter.eventName) &&
      entitlement.usageLimit !== null &&
      !entitlement.isSoftLimit,
  );

/** A problem where there is no such feature. */
function wantedBy(
  { credits, currency, event_name: eventName, feature: name, properties }: AuthorizeBody,
  features: Awaited<ReturnType<FeaturesService['named']>>,
): Wanted | Problem {
  if (credits) return { kind: 'credits', credits: new Decimal(credits), currency: currency ?? null };
  if (eventName) return { kind: 'use', eventName, properties: properties ?? {} };
  const found = features.get(name!);
  if (!found) return Problem.notFound('feature', name!);
  return { kind: 'feature', ...found, properties: properties ?? {} };
}

/** @throws Problem 400 unless the body names one of the three. */
function assertOneWish({ event_name: eventName, feature, credits, properties, ...body }: AuthorizeBody): void {
  if (!body.customer_id && !body.external_customer_id) {
    throw Problem.invalid('external_customer_id', 'or customer_id is required');
  }
  const wishes = [eventName, feature, credits].filter((wish) => wish !== undefined && wish !== null);
  if (wishes.length !== 1) throw Problem.invalid('event_name', 'or feature or credits is required, one of them');
  if (credits && properties) throw Problem.invalid('properties', 'are of a use, not of plain credits');
  if (!credits && body.currency) throw Problem.invalid('currency', 'is of plain credits; a price has its own');
}

/** Null where there is nothing to keep: a boolean or static feature. */
function newHold(tx: Tx, { body, customerId, wanted, requestHash }: Asked, verdict: Verdict): NewHold | null {
  const { use, parts, currency } = verdict;
  if (!use && wanted.kind !== 'credits') return null;
  const seconds = body.expires_in_seconds ?? DEFAULT_SECONDS;
  return {
    id: newId('hold'),
    customerId,
    currency,
    use,
    parts,
    credits: sum(parts.map(({ credits }) => credits)),
    idempotencyKey: body.idempotency_key ?? null,
    requestHash,
    createdAt: tx.now,
    expiresAt: new Date(tx.now.getTime() + seconds * 1000),
  };
}

/** Over what is asked, whatever the order of its keys. */
function requestHash(body: AuthorizeBody): Buffer {
  const said = Object.entries(body)
    .filter(([key, value]) => key !== 'idempotency_key' && value !== undefined && value !== null)
    .map(([key, value]) => [key, value !== null && typeof value === 'object' ? sorted(value) : value])
    .toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  return hash('sha256', JSON.stringify(said), 'buffer');
}

const sorted = (value: object) =>
  Object.entries(value)
    .map(([key, part]) => [key, String(part)])
    .toSorted(([a], [b]) => (a! < b! ? -1 : 1));

const keyConflict = (): Problem =>
  new Problem('idempotency_conflict', 'idempotency_key was used before with another request', {
    field: 'idempotency_key',
  });
