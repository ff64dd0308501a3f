import { Decimal } from '@drawdown/billing-core';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { boundary, type CreditsModel, START, type ModelEvent } from './credits-model.js';
import { TARIFFS } from './credits-tariff.js';
import type { CreditsWorld } from './credits-world.js';

export type Command = fc.AsyncCommand<CreditsModel, CreditsWorld>;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Something that is done to both; after it both must be in the same state. */
const command = (
  name: string,
  said: object,
  run: (model: CreditsModel, real: CreditsWorld) => Promise<void>,
  when: (model: Readonly<CreditsModel>) => boolean = () => true,
): Command => ({
  check: when,
  run: async (model, real) => {
    await run(model, real);
    expect(await real.state()).toEqual(model.state());
  },
  toString: () => `${name} ${JSON.stringify(said)}`,
});

const EVENTS = [...new Set(TARIFFS.map(({ event }) => event))];
const instant = (at: number | null) => at && new Date(at).toISOString();
const pick = <T>(list: readonly T[], place: number): T => list[place % list.length]!;

const place = fc.nat({ max: 7 });
const eventName = fc.constantFrom(...EVENTS);
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -12, max: 24 }).map((halves) => String(halves / 2)) },
  { weight: 1, arbitrary: fc.constantFrom('0', '-0', '0.000000000001', '3.333333333333', '40') },
);
const credits = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('0.000000000001', '2.5', '6.666666666667') },
);

const reported = fc.record({
  event: fc.oneof({ weight: 30, arbitrary: eventName }, { weight: 1, arbitrary: fc.constant('unheard') }),
  value: fc.oneof({ weight: 30, arbitrary: amount }, { weight: 1, arbitrary: fc.constant('many') }),
  /** Before now, in minutes; the last is ahead of the clock and counts as now. */
  ago: fc.constantFrom(0, 0, 0, 1, 30, 90, 24 * 60, 9 * 24 * 60, 35 * 24 * 60, -4),
  /** An id that was used before; null for a new one. */
  again: fc.option(place, { freq: 12 }),
  same: fc.boolean(),
});

type Reported = typeof reported extends fc.Arbitrary<infer T> ? T : never;

/** One to six events in one request: they burn one by one, in their order. */
const burn = fc.record({ events: fc.array(reported, { minLength: 1, maxLength: 6 }), bulk: fc.boolean() }).map((said) =>
  command('burn', said, async (model, real) => {
    const events = eventsOf(model, said.events).map((event) => ({ event, expected: resultOf(model, event) }));
    const bodies = events.map(({ event }) => bodyOf(event));
    const results = said.bulk
      ? (await real.done('/events/bulk', { events: bodies })).results
      : await inOrder(bodies, (body) => real.done('/events', body));
    expect(results).toMatchObject(events.map(({ expected }) => expected));
  }),
);

function eventsOf(model: CreditsModel, said: readonly Reported[]): ModelEvent[] {
  const known = [...model.events.values()];
  return said.map(({ event, value, ago, again, same }, index) => {
    const at = Math.max(START, model.now - ago * MINUTE);
    const before = again !== null && known.length > 0 ? pick(known, again) : null;
    if (before) return same ? before : { ...before, value: `${before.value}1` };
    // What is counted is decided by the tariff: a meter that counts requests has no bad values.
    const counted = event !== 'row' && value === 'many' ? '1' : value;
    return { id: `event-${model.events.size}-${index}`, event, value: counted, at };
  });
}

function resultOf(model: CreditsModel, event: ModelEvent) {
  const result = model.report(event);
  if ('differs' in result) return { status: 'duplicate', credits_burned: '0', differs: result.differs };
  return { status: 'accepted', credits_burned: result.burned.toFixed(), reason: result.reason };
}

const bodyOf = ({ id, event, value, at }: ModelEvent) => ({
  event_id: id,
  event_name: event,
  external_customer_id: 'acme',
  timestamp: instant(at),
  properties: { n: value },
});

async function inOrder<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const one of list) done.push(await work(one));
  return done;
}

const openWallet = fc.record({ paysUsage: fc.constantFrom(true, true, false) }).map((said) =>
  command('open a wallet', said, async (model, real) => {
    model.openWallet(said.paysUsage);
    await real.openWallet(said.paysUsage);
  }),
);

/** Free credits, or credits bought and paid outside. */
const topUp = fc
  .record({
    wallet: place,
    credits,
    purchased: fc.boolean(),
    priority: fc.constantFrom(null, null, -1, 0, 3),
    /** Minutes from now. */
    expires: fc.constantFrom(null, null, 10, 120, 24 * 60, 10 * 24 * 60),
  })
  .map((said) =>
    command('top up', said, async (model, real) => {
      const wallet = said.wallet % model.purse.wallets.length;
      const until = said.expires === null ? null : model.now + said.expires * MINUTE;
      const { priority, purchased } = said;
      const answer = await real.post(`/wallets/${real.walletIds[wallet]}/top-up`, {
        transaction_reason: purchased ? 'PURCHASED_CREDIT_DIRECT' : 'FREE_CREDIT_GRANT',
        credits_to_add: said.credits,
        expiry_date_utc: instant(until),
        priority,
      });
      expect(answer.status).toBe(model.purse.wallets[wallet]!.open ? 200 : 409);
      if (answer.status === 200) {
        model.addLot({ wallet, credits: new Decimal(said.credits), priority, purchased, until });
      }
    }),
  );

const debit = fc.record({ wallet: place, credits }).map((said) =>
  command('debit', said, async (model, real) => {
    const wallet = said.wallet % model.purse.wallets.length;
    const { status } = await real.post(`/wallets/${real.walletIds[wallet]}/debit`, { credits: said.credits });
    expect(status).toBe(model.debit(wallet, new Decimal(said.credits)) ? 200 : 409);
  }),
);

const terminate = fc.record({ wallet: place }).map((said) =>
  command('terminate', said, async (model, real) => {
    const wallet = said.wallet % model.purse.wallets.length;
    const { status } = await real.post(`/wallets/${real.walletIds[wallet]}/terminate`, {});
    expect(status).toBe(model.purse.wallets[wallet]!.open ? 200 : 409);
    if (status === 200) model.terminate(wallet);
  }),
);

const bought = (model: Readonly<CreditsModel>) => model.purse.lots.filter(({ purchased }) => purchased);

const refund = fc.record({ lot: place, credits }).map((said) =>
  command(
    'refund',
    said,
    async (model, real) => {
      const lot = pick(bought(model), said.lot);
      const taken = await real.takeBack(model.purse.lots.indexOf(lot), new Decimal(said.credits));
      expect(taken).toBe(model.takeBack(lot, new Decimal(said.credits)));
    },
    (model) => bought(model).length > 0,
  ),
);

const seconds = fc.constantFrom(60, 900, 7_200, 86_400);

const holdUse = fc.record({ event: eventName, value: amount, seconds }).map((said) =>
  command('authorize', said, async (model, real) => {
    const answer = await real.done('/credits/authorize', {
      external_customer_id: 'acme',
      event_name: said.event,
      properties: { n: said.value },
      expires_in_seconds: said.seconds,
    });
    const expected = model.authorizeUse(said.event, new Decimal(said.value), model.now + said.seconds * 1000);
    expect(answer).toMatchObject({
      allowed: expected.allowed,
      reason: expected.allowed ? null : 'insufficient_credits',
      credits_held: expected.held.toFixed(),
      balance: model.spendable().toFixed(),
    });
    if (answer.allowed) real.holdIds.push(answer.id);
  }),
);

const holdCredits = fc.record({ credits, seconds }).map((said) =>
  command('hold credits', said, async (model, real) => {
    const answer = await real.done('/credits/authorize', {
      external_customer_id: 'acme',
      credits: said.credits,
      expires_in_seconds: said.seconds,
    });
    const allowed = model.authorizeCredits(new Decimal(said.credits), model.now + said.seconds * 1000);
    expect(answer).toMatchObject({ allowed, balance: model.spendable().toFixed() });
    if (answer.allowed) real.holdIds.push(answer.id);
  }),
);

/** What was really used; what was asked for where it says nothing. */
const capture = fc.record({ hold: place, value: amount, credits }).map((said) =>
  command(
    'capture',
    said,
    async (model, real) => {
      const hold = pick(model.purse.holds, said.hold);
      const path = `/credits/holds/${real.holdIds[model.purse.holds.indexOf(hold)]}/capture`;
      if (hold.status !== 'open') return expect((await real.post(path, {})).status).toBe(409);
      if (hold.use) {
        const answer = await real.done(path, { properties: { n: said.value } });
        const { captured, short } = model.captureUse(hold, new Decimal(said.value));
        expect(answer).toMatchObject({ credits_captured: captured.toFixed(), shortfall: short.toFixed() });
      } else {
        const answer = await real.done(path, { credits: said.credits });
        const captured = model.captureCredits(hold, new Decimal(said.credits));
        expect(answer).toMatchObject({ credits_captured: captured.toFixed(), shortfall: '0' });
      }
    },
    (model) => model.purse.holds.length > 0,
  ),
);

const release = fc.record({ hold: place }).map((said) =>
  command(
    'release',
    said,
    async (model, real) => {
      const hold = pick(model.purse.holds, said.hold);
      const { status } = await real.post(`/credits/holds/${real.holdIds[model.purse.holds.indexOf(hold)]}/release`, {});
      expect(status).toBe(hold.status === 'open' ? 200 : 409);
      if (status === 200) model.release(hold);
    },
    (model) => model.purse.holds.length > 0,
  ),
);

/** By a time, or to just before, at, or inside the hour after the next boundary. */
const wait = fc
  .oneof(
    fc.constantFrom(MINUTE, 15 * MINUTE, 59 * MINUTE, 3 * 60 * MINUTE, DAY, 6 * DAY, 20 * DAY).map((by) => ({ by })),
    fc.constantFrom(-1, 0, MINUTE, 30 * MINUTE, 60 * MINUTE).map((boundary) => ({ boundary })),
  )
  .map((said) =>
    command('wait', said, async (model, real) => {
      const to = 'by' in said ? model.now + said.by : Math.max(model.now, nextBoundary(model.now) + said.boundary);
      model.advance(to);
      await real.advance(to);
    }),
  );

function nextBoundary(now: number): number {
  let number = 0;
  while (boundary(number) <= now) number++;
  return boundary(number);
}

export const commands = (most: number): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    [
      burn,
      burn,
      burn,
      topUp,
      topUp,
      holdUse,
      holdUse,
      holdCredits,
      capture,
      capture,
      release,
      debit,
      refund,
      wait,
      wait,
      openWallet,
      terminate,
    ],
    {
      maxCommands: most,
      size: 'max',
    },
  );
