import { type AccrualRule, emptyAccrual, readAccrual } from '../accrual.js';
import { type LotState, burn, burnOrder, emptyCover } from '../burn-down.js';
import { Decimal, ONE, ZERO, sum } from '../decimal.js';
import { capture, reserve, withUses } from '../hold.js';
import { HOLD_MOVES, canMove } from '../lifecycle.js';
import { periodContaining } from '../period.js';
import { changeFee } from '../plan-change.js';
import { type UnitPrice, priceOf } from '../price.js';
import { isTopUpDue } from '../top-up.js';
import { type Check, type Facts, type Runner, type System, at, d, plain, same } from './case.js';
import { added, cadenceOf } from './intervals.js';
import { fold, priceFrom } from './openmeter-prices.js';
import { lot, story } from './story.js';

const rule = (amount: string | Decimal, allowance: string | null = null): AccrualRule => ({
  price: { model: 'FLAT_FEE', amount: new Decimal(amount) },
  allowance: allowance === null ? null : d(allowance),
  meter: {
    eventName: 'e',
    filters: [],
    aggregation: { type: 'SUM', field: 'n' },
    resetUsage: 'BILLING_PERIOD',
  },
});

/** Usage in order on one lot: what remains, and what was used. */
const tracked: Runner = (given, expected) => {
  const sequence = (given.track_sequence ?? [given.track]) as string[];
  const customer = story([lot('included', given.included)]);
  const states = sequence.map((quantity, n) => {
    customer.use(new Date(n + 1), quantity);
    const read = customer.read(new Date(n + 1));
    return { remaining: read.balance, usage: read.used };
  });
  const want = expected.states ?? [{ remaining: expected.remaining, usage: expected.usage }];
  return [['states', states, want]];
};

/** A hold and its end on lots in their order. */
function held(lots: LotState[], amount: string) {
  const { held: parts } = reserve(burnOrder(lots), d(amount));
  for (const { lotId, credits } of parts) find(lots, lotId).held = credits;
  const end = (draws: readonly { lotId: string; credits: Decimal }[]) => {
    for (const { lotId, credits } of draws) find(lots, lotId).remaining = find(lots, lotId).remaining.minus(credits);
    for (const one of lots) one.held = ZERO;
  };
  return {
    unheld: () => lots.map((one) => plain(one.remaining.minus(one.held))),
    capture: (cost: string) => end(capture(emptyCover(), d(cost), parts, burnOrder(lots), ONE).draws),
    release: () => end([]),
  };
}
const find = (lots: LotState[], id: string) => lots.find((one) => one.id === id)!;
const total = (lots: LotState[]) => plain(sum(lots.map((one) => one.remaining.minus(one.held))));
/** They burn in the order in which the balances are told. */
const balances = (list: Facts[]) => list.map((one, place) => lot(one.id, one.amount, { priority: place }));

const locked: Runner = (given, expected) => {
  const lots = balances(given.balances);
  const hold = held(lots, given.lock);
  if (given.finalize?.action === 'release') hold.release();
  else hold.capture(given.finalize?.amount ?? given.amount);
  const checks: Check[] = [['left', total(lots), expected.total_remaining]];
  const again = canMove(HOLD_MOVES, 'captured', 'captured');
  return expected.rejected ? [...checks, ['again', again, false]] : checks;
};

/** A feature's own balance is free units; credits pay what is beyond, at so many credits a unit. */
const pooled: Runner = (given, expected) => {
  const { feature, finalize, credit_cost: cost, balances: own } = given;
  const pool = Object.keys(own).find((name) => name.startsWith('credits'))!;
  const by = feature === pool ? rule('1') : rule(cost[feature], own[feature]);
  const captured = finalize.action === 'confirm' ? [finalize.amount as string] : [];
  const steps = fold(by, [given.track_before ?? '0', ...captured]);
  const { total: used, free, accrued } = steps.at(-1)!;
  const left = d(own[pool]).minus(burn(emptyCover(), accrued, [lot(pool, own[pool])], ONE).cover.credits);
  const got: Record<string, Decimal> = { [pool]: left };
  if (feature !== pool) got[feature] = d(own[feature]).minus(free);
  return [
    [
      'balances',
      Object.fromEntries(Object.entries(got).map(([name, value]) => [name, plain(value)])),
      expected.balances,
    ],
    ['used', used.gte(0), true],
  ];
};

/** Rollovers as lots that expire sooner than the main balance; usage after the resets. */
function rolledOver(rollovers: string[], main: string, uses: string[]) {
  const lots = [...rollovers, main].map((credits, n) => lot(String(n), credits, { expiresAt: new Date(1000 + n) }));
  const customer = story(lots);
  return uses.map((quantity, n) => {
    customer.use(new Date(n + 1), quantity);
    const read = customer.read(new Date(n + 1));
    return { balance: read.balance, rollovers: rollovers.map((_, place) => read.of(String(place))) };
  });
}

const autoTopUps: Runner = (given, expected) => {
  let balance = d(given.balance);
  const steps = (given.steps ??
    (given.track as string[]).map((track) => ({ track, threshold: given.threshold }))) as Facts[];
  const got = steps.map(({ track, threshold }) => {
    balance = balance.minus(track);
    if (isTopUpDue(balance, d(threshold))) balance = balance.plus(given.quantity);
    return plain(balance);
  });
  return [['balances', got, expected.balances ?? [expected.balance]]];
};

/** What a model's tokens cost in credits, at the most specific markup. */
const tokens: Runner = (given, expected) => {
  const markup = given.markup_percent;
  const percent = typeof markup === 'string' ? markup : (markup.model ?? markup.provider ?? markup.global);
  const each = (cost: string) => d(cost).div(1_000_000).times(d(percent).plus(100)).div(100);
  const cost = (kind: 'input' | 'output') =>
    priceOf({ model: 'FLAT_FEE', amount: each(given.model_cost_per_million[kind]) }, d(given[`${kind}_tokens`]));
  return [['credits', plain(cost('input').plus(cost('output'))), expected.credits]];
};

const cycle: Runner = (given, expected) => {
  const [anchor, cadence] = [at(given.anchor), cadenceOf(given.interval)];
  if (expected.cycle_start) {
    return [
      ['start', periodContaining(anchor, cadence, at(given.now)).start.toISOString(), same(expected.cycle_start)],
    ];
  }
  const floor = given.floor ? new Date(at(given.floor).getTime() - 1) : at(given.now);
  const from = floor > at(given.now) ? floor : at(given.now);
  return [['end', periodContaining(anchor, cadence, from).end.toISOString(), same(expected.cycle_end)]];
};

const FEES: Record<string, string> = { free: '0', pro: '20', premium: '50', ultra: '200' };
const YEAR = { start: at('2026-01-01'), end: at('2027-01-01') };
/** A change at the very start of a cycle. */
const dueNow = (from: Decimal, to: Decimal, expected: Facts): Check[] => [
  ['due now', plain(changeFee({ from, to }, YEAR.start, YEAR, YEAR).net), plain(expected.due_now)],
];
const feeOf = (plan: string) => d(FEES[plan.split(' ')[0]!]!);
const planChange: Runner = ({ from, to }, expected) => dueNow(feeOf(from), feeOf(to), expected);
const packsOf = (text: string) => Number(text.split(' ')[0]);
const packChange: Runner = (given, expected) =>
  dueNow(
    feeOf(given.from).plus(
      d(given.pack_price_from ?? given.pack_price).times(packsOf(given.packs_from ?? given.packs)),
    ),
    feeOf(given.to).plus(d(given.pack_price_to ?? given.pack_price).times(packsOf(given.packs_to ?? given.packs))),
    expected,
  );
const volumeChange: Runner = (given, expected) => {
  const tiers = (given.tiers as Facts[]).map((tier) => ({
    upTo: tier.up_to === null ? null : d(tier.up_to),
    unitAmount: d(tier.per_100).div(given.billing_units),
    flatAmount: null,
  }));
  const price: UnitPrice = { model: 'TIERED', tierMode: 'VOLUME', tiers };
  return dueNow(priceOf(price, d(given.quantity_from)), priceOf(price, d(given.quantity_to)), expected);
};

export const AUTUMN: System = {
  runners: {
    credit_burndown: tracked,
    'au-cb-010': (given, expected) => {
      const customer = story([lot('credits', given.balances.credits)]);
      customer.use(new Date(1), given.track[0].value);
      return [['left', customer.read(new Date(1)).of('credits'), expected.balances.credits]];
    },
    'au-cb-042': locked,
    'au-cb-046': locked,
    'au-cb-050': locked,
    'au-cb-052': locked,
    'au-cb-055': pooled,
    'au-cb-059': pooled,
    'au-cb-060': pooled,
    'au-cb-064': pooled,
    'au-cb-066': (given, expected) => {
      const credits = [...(given.state_before.rollovers as string[]), given.state_before.main];
      const lots = credits.map((amount, n) => lot(String(n), amount, { expiresAt: new Date(1000 + n) }));
      const hold = held(lots, given.lock);
      const after = hold.unheld();
      hold.capture(given.finalize.amount);
      return [
        ['locked', after, [...expected.after_lock.rollovers, expected.after_lock.total]],
        ['rollovers', hold.unheld().slice(0, 2), expected.final.rollovers],
        ['total', total(lots), expected.final.total],
      ];
    },
    'au-cb-069': (given, expected) => {
      const lots = [
        lot('monthly', given.balances['monthly(free plan)'], { priority: 0 }),
        lot('lifetime', given.balances.lifetime, { priority: 1 }),
      ];
      const { held: parts } = reserve(burnOrder(lots), d(given.lock));
      const later = [
        lot('monthly anew', '80', { priority: 0 }),
        lot('lifetime', given.balances.lifetime, { held: parts[1]!.credits }),
      ];
      const { draws } = capture(emptyCover(), d(given.finalize.amount), parts, later, ONE);
      const drawn = (id: string) => sum(draws.filter((draw) => draw.lotId === id).map((draw) => draw.credits));
      return [
        ['monthly', plain(d(80).minus(drawn('monthly anew'))), expected.balances.monthly],
        ['lifetime', plain(d(given.balances.lifetime).minus(drawn('lifetime'))), expected.balances.lifetime],
      ];
    },
    'au-cb-072': (given, expected) => {
      const use = (n: string, arrival: number) => ({ at: new Date(arrival), arrival, properties: { n } });
      const uses = (given.locks as string[]).map(use);
      const within = uses.map((_, n) =>
        readAccrual(rule('1'), withUses(rule('1'), emptyAccrual(), uses.slice(0, n + 1))).quantity.lte(
          given.usage_limit,
        ),
      );
      return [['allowed', within, [expected.first_allowed, expected.second_allowed]]];
    },
    'au-cb-075': (_, expected) => {
      const got = rolledOver(expected.after_second_reset.rollovers, '400', ['150', '400']);
      return [['after the resets', got, [expected.after_track_150, expected.after_track_400]]];
    },
    'au-cb-076': (_, expected) => {
      const got = rolledOver(expected.after_second_reset_rollovers_each, '400', ['150', '400']);
      return [['each', got, [expected.after_track_150_each, expected.after_track_400_each]]];
    },
    'au-cb-091': (_, expected) => {
      const [read] = rolledOver([expected.rollover.granted], '100', ['10']);
      return [
        ['after the reset', [read!.balance, read!.rollovers[0]], [expected.total.remaining, expected.rollover.balance]],
      ];
    },
    'au-cb-107': (given, expected) => {
      const uses = Array.from({ length: Number(given.concurrent_tracks) }, () => given.value_each as string);
      return [['balance', rolledOver([], given.included, uses).at(-1)!.balance, expected.balance]];
    },
    'au-cb-108': (given, expected) => [
      ['balance', rolledOver([], given.included, ['15'])[0]!.balance, expected.final.balance],
    ],
    'au-cb-110': autoTopUps,
    'au-cb-112': autoTopUps,
    'au-cb-120': autoTopUps,
    'au-cb-124': tokens,
    'au-cb-125': tokens,
    'au-cb-126': tokens,
    'au-cb-127': (given, expected) => tracked({ included: given.included, track: given.cost_of_call }, expected),
    period: (given, expected) => (given.add ? added(given, expected) : cycle(given, expected)),
    price: (given, expected) => [['amount', plain(priceOf(priceFrom(given), d(given.quantity))), expected.amount]],
    proration: planChange,
    'au-po-012': packChange,
    'au-po-013': packChange,
    'au-po-015': packChange,
    'au-po-017': (given, expected) => {
      const seats = (included: string) => Decimal.max(d(given.seats_used).minus(included), 0).times(given.seat_price);
      return dueNow(
        feeOf(given.from).plus(seats(given.included_from)),
        feeOf(given.to).plus(seats(given.included_to)),
        expected,
      );
    },
    'au-po-018': volumeChange,
    'au-po-020': volumeChange,
    'au-po-023': (given, expected) =>
      dueNow(d(given.pack.price).times(given.packs_from), d(given.pack.price).times(given.packs_to), expected),
    'au-po-024': (given, expected) => {
      const fees = (key: string) => sum((given.features as Facts[]).map((one) => d(one.price).times(one[key])));
      return dueNow(fees('packs_from'), fees('packs_to'), expected);
    },
  },
  leftOut: {
    'usage is refused or cut at a cap; here ingestion never refuses a fact':
      'au-cb-001 au-cb-017 au-cb-028 au-cb-035 au-cb-036 au-cb-037 au-cb-074',
    'negative usage raises a balance above what was granted; here it undoes draws': 'au-cb-018 au-cb-043 au-cb-045',
    'rollovers made by a reset, with a most; here a lot keeps its rest until it expires':
      'au-cb-019 au-cb-078 au-cb-090 au-cb-096 au-cb-104',
    'credits bought in whole packs, and below the threshold only; here the amount that was set, at the threshold too':
      'au-cb-113 au-cb-114 au-cb-119',
    'units rounded up to packs before the tier is chosen': 'au-pr-022 au-pr-024',
    'free units shift the tiers of a volume price; here they come off the quantity': 'au-pr-027 au-pr-029',
    'a negative quantity has a negative price; here it is priced as zero': 'au-pr-032',
    'no charge now but with the next cycle': 'au-po-026',
    'discounts on credits': 'au-po-027',
    'refunds by whole months': 'au-po-031',
    'a change that was scheduled is chosen outside of the arithmetic': 'au-po-040',
    'usage of a trial goes on into paid time; here a trial is a period of its own': 'au-po-046',
  },
};
