import { burn, emptyCover } from '../burn-down.js';
import { roundMoney } from '../currency.js';
import { ONE, ZERO } from '../decimal.js';
import { type Span, addDuration, boundary, intersection, nextPeriod, periodContaining } from '../period.js';
import { changeFee } from '../plan-change.js';
import { prorate } from '../proration.js';
import { type Check, type Facts, type Runner, type System, at, d, plain, same } from './case.js';
import { added, cadenceOf } from './intervals.js';
import { PRICES, fold, meterRule } from './openmeter-prices.js';
import { FAR, lot, story } from './story.js';

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
    ...PRICES,
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
