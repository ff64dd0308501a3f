import { type AccrualRule, accrue, emptyAccrual } from '../accrual.js';
import { burn, emptyCover } from '../burn-down.js';
import { settleCommitment } from '../commitment.js';
import { roundMoney } from '../currency.js';
import { Decimal, ONE, ZERO, sum } from '../decimal.js';
import { draftInvoice } from '../invoice-draft.js';
import {
  type Cadence,
  type Span,
  addDuration,
  boundary,
  intersection,
  nextPeriod,
  periodContaining,
} from '../period.js';
import { changeFee } from '../plan-change.js';
import { type UnitPrice, priceOf } from '../price.js';
import { prorate } from '../proration.js';
import { type Check, type Facts, type Runner, type System, at, d, plain, same } from './case.js';
import { FAR, lot, story } from './story.js';

const PERIODS = { D: 'DAILY', W: 'WEEKLY', M: 'MONTHLY', Y: 'ANNUAL' } as const;
const UNITS = { D: 'DAY', W: 'WEEK', M: 'MONTH', Y: 'YEAR' } as const;

function duration(iso: string): { count: number; unit: keyof typeof PERIODS } {
  const [, sign, count, unit] = /^(-?)P(\d+)([DWMY])$/.exec(iso)!;
  return { count: Number(`${sign}${count}`), unit: unit as keyof typeof PERIODS };
}
export function cadenceOf(iso: string): Cadence {
  const { count, unit } = duration(iso);
  return { billingPeriod: PERIODS[unit], count, zone: 'UTC' };
}
export const added: Runner = ({ start, add }, expected) => {
  const { count, unit } = duration(add);
  return [['instant', addDuration(at(start), UNITS[unit], count, 'UTC').toISOString(), same(expected.result)]];
};

/** A grant as our lots: one, or one per recurrence, each ending where the next begins. */
function lotsOf(grant: Facts, balance: string | undefined) {
  const ends = [grant.expires_at, grant.voided_at, grant.deleted_at].filter(Boolean).map(at);
  const expiresAt = ends.length > 0 ? new Date(Math.min(...ends.map(Number))) : null;
  const more = { priority: Number(grant.priority), effectiveAt: at(grant.effective_at) };
  if (!grant.recurrence) return [lot(grant.id, balance ?? grant.amount, { ...more, expiresAt })];
  const { anchor, interval } = grant.recurrence;
  const cadence = cadenceOf(interval);
  const lots = [];
  let { start, end, index } = periodContaining(at(anchor), cadence, more.effectiveAt);
  for (
    start = more.effectiveAt;
    !expiresAt || start < expiresAt;
    start = end, end = boundary(at(anchor), cadence, ++index + 1)
  ) {
    const until = expiresAt && expiresAt < end ? expiresAt : end;
    lots.push(lot(`${grant.id}#${index}`, grant.amount, { ...more, effectiveAt: start, expiresAt: until }));
  }
  return lots;
}

function told(given: Facts) {
  const from = given.starting_state ? at(given.starting_state.at) : new Date(0);
  const balances = given.starting_state?.balances ?? {};
  const lots = (given.grants as Facts[]).flatMap((grant) => lotsOf(grant, balances[grant.id]));
  const customer = story(lots);
  for (const event of (given.usage_events ?? []) as Facts[]) {
    if (event.events) customer.use(at(event.from), plain(d(event.events).times(event.quantity_each)));
    else if (at(event.at) >= from) customer.use(at(event.at), event.quantity);
  }
  return customer;
}

const burndown: Runner = (given, expected) => {
  const read = told(given).read(at(given.as_of));
  const checks: Check[] = Object.entries(expected.balances ?? {}).map(([id, want]) => [id, read.of(id), want]);
  const totals: [string, string][] = [
    ['balance', read.balance],
    ['overage', read.overage],
    ['total_grant_usage', read.drawn],
    ['total_grant_usage_plus_balance', plain(d(read.drawn).plus(read.balance))],
  ];
  return [
    ...checks,
    ...totals.filter(([key]) => key in expected).map(([key, got]): Check => [key, got, expected[key]]),
  ];
};

const period: Runner = (given, expected) => {
  const instant = given.boundary === 'exclusive' ? new Date(at(given.at).getTime() - 1) : at(given.at);
  const { start, end } = periodContaining(at(given.anchor), cadenceOf(given.interval), instant);
  if (expected.previous) return [['previous', start.toISOString(), same(expected.previous)]];
  return [['period', [start, end].map(same), [expected.period.from, expected.period.to].map(same)]];
};

const spanText = (span: Span) => `${same(span.start)} ${same(span.end)}`;
const factText = (fact: Facts) => `${same(fact.from)} ${same(fact.to)}`;

/** The periods of a subscription's items: each item's own time, cut by the periods of its cadence. */
const itemLines: Runner = (given, expected) => {
  const start = at(given.subscription_start);
  const ends = [given.phase_end, given.subscription_end].filter(Boolean).map(at);
  const end = ends[0] ?? FAR;
  const after = (iso: string) => {
    const [days, hours] = [/P(\d+)D/.exec(iso), /T(\d+)H/.exec(iso)].map((found) => Number(found?.[1] ?? 0));
    return new Date(start.getTime() + (days! * 24 + hours!) * 3_600_000);
  };
  const got = (given.items as Facts[]).flatMap((item) => {
    const own = {
      start: item.starts_after_phase_start ? after(item.starts_after_phase_start) : start,
      end: item.ends_after_phase_start ? after(item.ends_after_phase_start) : end,
    };
    const service = intersection(own, { start, end });
    return service ? periodsOf(service, start, item, at(given.generate_until)) : [];
  });
  const want = (expected.lines as Facts[]).map(({ item, service, full_service: full }) => [
    item,
    factText(service),
    factText(full),
  ]);
  return [['lines', got.map(String).toSorted(), want.map(String).toSorted()]];
};

/** In advance up to the period that begins by `until`, in arrears up to the one that ended by then. */
function periodsOf(service: Span, anchor: Date, item: Facts, until: Date) {
  const inAdvance = item.price.includes('in advance');
  const cadence = cadenceOf(item.cadence);
  const lines = [];
  for (
    let full: Span = periodContaining(anchor, cadence, service.start);
    full.start < service.end;
    full = nextPeriod(anchor, cadence, full)
  ) {
    const part = intersection(full, service)!;
    if (inAdvance ? part.start > until : part.end > until) break;
    lines.push([item.key, spanText(part), spanText(full)]);
  }
  return lines;
}

export function tieredPrice(model: string, tiers: Facts[]): UnitPrice {
  return {
    model: 'TIERED',
    tierMode: model === 'volume' ? 'VOLUME' : 'SLAB',
    tiers: tiers.map((tier) => ({
      upTo: tier.up_to === null ? null : d(tier.up_to),
      unitAmount: d(tier.unit ?? 0),
      flatAmount: tier.flat ? d(tier.flat) : null,
    })),
  };
}
export function priceFrom(given: Facts): UnitPrice {
  if (given.tiers) return tieredPrice(given.model, given.tiers);
  if (given.package_size) {
    return { model: 'PACKAGE', amount: d(given.package_amount ?? 1), divideBy: d(given.package_size), round: 'up' };
  }
  return { model: 'FLAT_FEE', amount: d(given.unit_amount) };
}

const totalOf = (lines: Facts[]) => plain(sum(lines.map((line) => d(line.total ?? line.amount))));

/** What a line adds to what was billed of the period before, with the promise of a minimum at its last line. */
const price: Runner = (given, expected) => {
  const of = priceFrom(given);
  if (expected.packages) return [['packages', plain(priceOf(of, d(given.quantity))), expected.packages]];
  const billed = d(given.already_billed_quantity ?? 0);
  const cost = priceOf(of, billed.plus(given.quantity)).minus(priceOf(of, billed));
  if (expected.total) return [['total', plain(cost), expected.total]];
  if (!given.minimum_spend || given.line.startsWith('middle'))
    return [['amount', plain(cost), totalOf(expected.lines)]];
  const before = d(given.previously_billed_amount ?? 0);
  const promise = { amount: d(given.minimum_spend), overageFactor: ONE, trueUp: true };
  const { trueUp } = settleCommitment(promise, before.plus(cost));
  return [['amount', plain(cost.plus(trueUp)), totalOf(expected.lines)]];
};

/** Credits pay usage first, then what a promised minimum adds. */
const credited: Runner = (given, expected) => {
  const usage = priceOf(priceFrom(given), d(given.quantity));
  const promise = { amount: d(given.minimum_spend ?? 0), overageFactor: ONE, trueUp: true };
  const { trueUp } = settleCommitment(promise, usage);
  let left = sum((given.credits as string[]).map(d));
  const lines = [usage, trueUp].map((gross, place) => {
    const { cover } = burn(emptyCover(), gross, [{ id: 'c', remaining: left, held: ZERO }], ONE);
    left = left.minus(cover.credits);
    return { key: String(place), gross, waived: ZERO, credits: cover.covered };
  });
  return [['due', plain(draftInvoice(lines, 'USD').total), totalOf(expected.lines)]];
};

const meterRule = (more: Partial<AccrualRule>, multiplier?: string): AccrualRule => ({
  price: { model: 'FLAT_FEE', amount: ONE },
  allowance: null,
  meter: {
    eventName: 'e',
    filters: [],
    aggregation: { type: multiplier ? 'SUM_WITH_MULTIPLIER' : 'SUM', field: 'n', multiplier: multiplier ?? null },
    resetUsage: 'BILLING_PERIOD',
  },
  ...more,
});
export function fold(rule: AccrualRule, quantities: (string | Decimal)[]) {
  let state = emptyAccrual();
  return quantities.map((n, arrival) => {
    const result = accrue(rule, state, { at: new Date(0), arrival, properties: { n: plain(n) } });
    if ('problem' in result) throw new Error(result.problem);
    state = result.state;
    return result;
  });
}

/** Their runs are told the quantity so far; our events are the differences. */
const rerated: Runner = (given, expected) => {
  const so = [0, ...(given.cumulative_quantities as string[])];
  const events = so.slice(1).map((quantity, place) => d(quantity).minus(so[place]!));
  const deltas = fold(meterRule({ price: priceFrom(given) }), events).map(({ delta }) => plain(delta));
  return [['booked', deltas, (expected.booked as (Facts | null)[]).map((line) => line?.amount ?? '0')]];
};

const prorated: Runner = (given, expected) => {
  const [part, whole] = [given.service_period, given.full_period].map((span: Facts) => ({
    start: at(span.from),
    end: at(span.to),
  }));
  const amount = given.prorate ? prorate(d(given.amount), part!, whole!) : d(given.amount);
  return [['amount', plain(roundMoney(amount, given.currency)), plain(expected.amount)]];
};

export const OPENMETER: System = {
  runners: {
    credit_burndown: burndown,
    'om-cb-052': (given, expected) => {
      const customer = told(given);
      return Object.entries(expected.balance_at_start).map(([hour, want]): Check => {
        const start = new Date(at(given.from).getTime() + Number(hour) * 3_600_000);
        return [hour, customer.read(new Date(start.getTime() + 1)).balance, want];
      });
    },
    'om-cb-060': (given, expected) => {
      const multiplier = plain(ONE.div(given.unit_conversion.factor));
      const [used] = fold(meterRule({}, multiplier), [given.raw_usage_events[0].quantity]);
      const left = d(given.grants[0].amount).minus(
        burn(emptyCover(), used!.delta, [grantLot(given)], ONE).cover.credits,
      );
      return [
        ['usage', plain(used!.total), expected.usage_in_period],
        ['balance', plain(left), expected.balance],
      ];
    },
    'om-cb-064': (given, expected) => [
      [
        'balances',
        (given.queries as string[]).map((query) => told(given).read(at(query)).balance),
        expected.balances_at_queries,
      ],
    ],
    'om-cb-075': (given, expected) => {
      const hours = (source: Facts) => Number(/PT(\d+)H/.exec(source.expires_in)![1]);
      const lots = (given.sources as Facts[]).map((source) =>
        lot(source.id, source.amount, { expiresAt: new Date(hours(source) * 3_600_000) }),
      );
      const customer = story(lots);
      customer.use(new Date(1), given.collect);
      const read = customer.read(new Date(2));
      return Object.keys(expected.remaining).map((id): Check => [id, read.of(id), expected.remaining[id]]);
    },
    'om-cb-082': (given, expected) => {
      const customer = story([lot('g', given.grant.amount, { expiresAt: new Date(10) })]);
      customer.use(new Date(1), given.usage);
      customer.correct(new Date(2), plain(d(given.usage).minus(given.usage_corrected_to)));
      const read = customer.read(new Date(3));
      return [
        ['balance', read.balance, expected.balance_after_correction],
        ['spent', read.drawn, expected.spent],
        ['at expiry', customer.read(new Date(10)).balance, expected.balance_at_expiry],
      ];
    },
    period: (given, expected) => (given.add ? added(given, expected) : period(given, expected)),
    'om-pe-027': (given, expected) => {
      const [first] = given.schedules as Facts[];
      const start = at(first!.starts_at);
      const cut = nextPeriod(at(first!.anchor), cadenceOf(first!.interval), { start, end: start });
      return [['period', spanText(cut), factText(expected.period)]];
    },
    'om-pe-029': (given, expected) => {
      const [anchor, cadence] = [at(given.billing_anchor), cadenceOf(given.billing_cadence)];
      const paid = addDuration(at(given.subscription_start), 'MONTH', 1, 'UTC');
      const first = nextPeriod(anchor, cadence, { start: paid, end: paid });
      const got = [first, nextPeriod(anchor, cadence, first)].map(spanText);
      return [['paid periods', got, (expected.service_periods as Facts[]).map(factText)]];
    },
    'om-pe-032': (given, expected) => {
      const service = { start: at(given.subscription_start), end: at(expected.all_invoice_at) };
      const item = { key: 'item', cadence: given.item_cadence, price: 'in arrears' };
      const lines = periodsOf(service, at(given.billing_anchor), item, service.end);
      return [
        ['count', String(lines.length), expected.line_count],
        ['first', lines[0]![1], factText(expected.first_service_period)],
        ['second', lines[1]![1], factText(expected.second_service_period)],
      ];
    },
    'om-pe-035': itemLines,
    'om-pe-037': itemLines,
    'om-pe-042': itemLines,
    'om-pe-046': itemLines,
    price,
    'om-pr-016': (given, expected) => [
      ['total', plain(priceOf(priceFrom(given), d(given.cumulative_quantity))), expected.cumulative_total],
    ],
    'om-pr-058': (given, expected) => [
      [
        'quantity',
        plain(fold(meterRule({}, given.unit_conversion.factor), [given.raw_quantity])[0]!.total),
        expected.quantity,
      ],
    ],
    'om-pr-065': credited,
    'om-pr-068': credited,
    'om-pr-071': (given, expected) => {
      const [before, after] = fold(meterRule({ allowance: d(given.free_units) }), [
        given.already_billed_raw_quantity,
        given.raw_quantity,
      ]);
      return [
        ['billed before', plain(before!.billable), expected.already_billed_quantity],
        ['billable', plain(after!.billable.minus(before!.billable)), expected.billable_quantity],
        ['free now', plain(after!.free.minus(before!.free)), expected.free_units_used_now],
      ];
    },
    'om-pr-074': rerated,
    'om-pr-075': rerated,
    proration: prorated,
    'om-po-011': (given, expected) => {
      const january = { start: at(given.start), end: at(expected.invoice_at) };
      const item = { key: 'fee', cadence: given.cadence, price: given.payment_term.replace('_', ' ') };
      return [
        ['lines', String(periodsOf(january, january.start, item, january.end).length), expected.lines_in_january],
      ];
    },
    'om-po-014': (given, expected) => {
      const start = at(given.start);
      const first = nextPeriod(at(given.billing_anchor), cadenceOf(given.cadence), { start, end: start });
      return [
        ['period', spanText(first), factText(expected.lines[0].service)],
        ['amount in full', given.flat_fee, expected.lines[0].amount],
      ];
    },
    'om-po-017': (given, expected) => {
      const [first, second] = [0, 1].map((n) => boundary(at(given.start), cadenceOf(given.cadence), n));
      const whole = { start: first!, end: second! };
      const change = changeFee({ from: d(given.flat_fee), to: d(given.changed_to) }, at(given.change_at), whole, whole);
      const got = [d(given.flat_fee).minus(change.credit), change.charge].map((money) =>
        plain(roundMoney(money, 'USD')),
      );
      return [['amounts', got, (expected.lines as Facts[]).slice(0, 2).map((line) => plain(line.amount))]];
    },
  },
  leftOut: {
    'a gauge that limits anew in each segment; here LATEST is a quantity that is priced': 'om-cb-020',
    'rollover with a least and a most, and resets; here a lot keeps its rest until it expires':
      'om-cb-031 om-cb-032 om-cb-034 om-cb-039 om-cb-053 om-cb-056',
    'another burn order: expiry to the second, then creation; here free before purchased, then age': 'om-cb-037',
    'the currency of a wallet is chosen outside of the arithmetic': 'om-cb-068',
    'states of a ledger; here the wallets module': 'om-cb-087',
    'an item without a cadence': 'om-pe-043 om-pe-044',
    'a cap on spending': 'om-pr-008 om-pr-047 om-pr-048',
    'units rounded before tiers': 'om-pr-056',
    'a period without length is refused': 'om-po-007',
    'a change without proration charges both plans in full; here it charges nothing': 'om-po-016',
    'allocation by weights': 'om-po-020 om-po-023 om-po-025',
  },
};

function grantLot(given: Facts) {
  return { id: 'g1', remaining: d(given.grants[0].amount), held: ZERO };
}
