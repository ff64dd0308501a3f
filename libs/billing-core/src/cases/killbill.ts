import { roundMoney } from '../currency.js';
import { Decimal, ZERO, sum } from '../decimal.js';
import { type BillingPeriod, type Cadence, type Span, boundary, nextPeriod, periodContaining } from '../period.js';
import { pausedCredit } from '../plan-change.js';
import { type Tier, type UnitPrice, priceOf } from '../price.js';
import { prorate, share } from '../proration.js';
import { localOf } from '../wall-clock.js';
import { type Check, type Facts, type Runner, type System, at, d, day, plain } from './case.js';

const CADENCES: Record<string, [BillingPeriod, number]> = {
  THIRTY_DAYS: ['DAILY', 30],
  BIWEEKLY: ['WEEKLY', 2],
};
function every(period: string, zone = 'UTC'): Cadence {
  const [billingPeriod, count] = CADENCES[period] ?? [period as BillingPeriod, 1];
  return { billingPeriod, count, zone };
}

/** Their billing-cycle day as our anchor: that day in the nearest month of the series that has it, at or before. */
function anchorOf(start: Date, cycleDay: number, cadence: Cadence): Date {
  const months = { MONTHLY: 1, QUARTERLY: 3, HALF_YEARLY: 6, ANNUAL: 12 }[cadence.billingPeriod as string];
  if (!months) return start;
  for (let back = 0; back < 12; back++) {
    const anchor = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() - back * months, cycleDay));
    if (anchor.getUTCDate() === cycleDay) return anchor;
  }
  return start;
}

/** The first boundary on or after a day. */
function onOrAfter(anchor: Date, cadence: Cadence, date: Date): Date {
  const period = periodContaining(anchor, cadence, date);
  return period.start.getTime() === date.getTime() ? date : period.end;
}

function cycles(given: Facts, target: string): string {
  const cadence = every(given.billing_period);
  const start = at(given.start_date);
  const end = given.end_date ? at(given.end_date) : null;
  const anchor = anchorOf(start, given.billing_cycle_day, cadence);
  let whole: Span = periodContaining(anchor, cadence, start);
  let from = start;
  let total = ZERO;
  while (from <= at(target) && (!end || from < end)) {
    const to = end && end < whole.end ? end : whole.end;
    total = total.plus(share({ start: from, end: to }, whole).toDecimalPlaces(9, Decimal.ROUND_HALF_UP));
    whole = nextPeriod(anchor, cadence, whole);
    from = whole.start;
  }
  return plain(total);
}
const inAdvance: Runner = (given, expected) => [
  ['cycles', cycles(given, given.target_date), plain(expected.number_of_billing_cycles)],
];

const interval: Runner = (given, expected) => {
  const cadence = every(given.billing_period);
  const start = at(given.start_date);
  const anchor = anchorOf(start, given.billing_cycle_day, cadence);
  const checks: Check[] = [];
  if (expected.first_billing_cycle_date) {
    checks.push(['first', day(onOrAfter(anchor, cadence, start)), expected.first_billing_cycle_date]);
  }
  if (expected.last_billing_cycle_date) {
    checks.push([
      'last',
      day(periodContaining(anchor, cadence, at(given.end_date)).start),
      expected.last_billing_cycle_date,
    ]);
  }
  if (given.billing_mode === 'IN_ADVANCE' && expected.effective_end_date) {
    checks.push([
      'end',
      day(periodContaining(anchor, cadence, at(given.target_date)).end),
      expected.effective_end_date,
    ]);
  }
  return checks;
};

const inArrear: Runner = (given, expected) => {
  const cadence = every(given.billing_period);
  const start = at(given.start_date);
  const anchor = anchorOf(start, given.billing_cycle_day, cadence);
  const closed = given.end_date ? at(given.end_date) : periodContaining(anchor, cadence, at(given.target_date)).start;
  const billable = closed > start;
  const next = periodContaining(anchor, cadence, given.end_date ? closed : at(given.target_date)).end;
  return [
    ['bills', billable, expected.has_something_to_bill],
    ['first', day(onOrAfter(anchor, cadence, start)), expected.first_billing_cycle_date],
    ['until', billable ? day(closed) : null, expected.effective_end_date],
    ['next', day(next), expected.next_billing_cycle_date],
  ];
};

const money = (value: Decimal) => roundMoney(value, 'USD');
const spanOf = ({ start, end }: Facts): Span => ({ start: at(start), end: at(end) });
/** What a paid item gives back for a part of its time. */
const back = (item: Facts, part: Facts) =>
  plain(money(pausedCredit(d(item.amount), spanOf(part), spanOf(item), spanOf(item))).neg());
const kept = (item: Facts, until: string) =>
  plain(money(prorate(d(item.amount), { start: at(item.start), end: at(until) }, spanOf(item))));
const amountOf = (items: Facts[], start: string) => plain(items.find((item) => item.start === start)!.amount);

/** Their tiers hold a number of blocks each; ours end at a quantity. */
function tiersOf(tiers: Facts[], flat = false): Tier[] {
  let upTo = ZERO;
  return tiers.map((tier) => {
    upTo = upTo.plus(d(tier.max_blocks).times(tier.block_size));
    return { upTo, unitAmount: flat ? ZERO : d(tier.price_per_block), flatAmount: null };
  });
}
const byUnit =
  (tierMode: 'SLAB' | 'VOLUME'): Runner =>
  (given, expected) => {
    const cost = (unit: string) =>
      priceOf({ model: 'TIERED', tierMode, tiers: tiersOf(given.tiers_by_unit[unit]) }, d(given.usage[unit]));
    return [['total', plain(sum(Object.keys(given.usage).map(cost))), plain(expected.total)]];
  };
/** The highest flat price that any unit type needs. */
const capacity: Runner = (given, expected) => {
  const needed = Object.entries<string>(given.usage).map(([unit, used]) => {
    const tiers = (given.tiers as Facts[]).map((tier) => ({
      upTo: tier.max === 'unlimited' ? null : d(tier.max[unit]),
      unitAmount: ZERO,
      flatAmount: d(tier.price),
    }));
    return priceOf({ model: 'TIERED', tierMode: 'VOLUME', tiers }, d(used));
  });
  const due = Decimal.max(...needed).minus(given.already_billed ?? 0);
  return [['amount', plain(due), plain(expected.amount ?? expected.new_amount)]];
};
const packs = (tier: Facts): UnitPrice => ({
  model: 'PACKAGE',
  amount: d(tier.price_per_block),
  divideBy: d(tier.block_size),
  round: 'up',
});

const steps =
  (sign: 1 | -1, key: string): Runner =>
  (given, expected) => [
    ['date', day(boundary(at(given.start_date), every(given.billing_period), sign * given.n)), expected[key]],
  ];

export const KILLBILL: System = {
  runners: {
    'proration/in-advance/monthly': inAdvance,
    'proration/in-advance/quarterly': inAdvance,
    'proration/in-advance/annual': inAdvance,
    'proration/month-end/quarterly': (given, expected) =>
      (expected.checkpoints as Facts[]).map((point): Check => [
        point.target_date,
        cycles(given, point.target_date),
        plain(point.cycles),
      ]),
    'interval/in-advance': interval,
    'interval/in-arrear': inArrear,
    'date-utils/whole-billing-periods': (given, expected) => [
      [
        'periods',
        periodContaining(at(given.start_date), every(given.billing_period), at(given.end_date)).index,
        expected.whole_billing_periods,
      ],
    ],
    'date-utils/advance-by-n-periods': steps(1, 'advance_by_n_periods'),
    'date-utils/recede-by-n-periods': steps(-1, 'recede_by_n_periods'),
    'date-utils/proration-before-first-cycle': (given, expected) => {
      const next = at(given.next_billing_cycle_date);
      const whole = { start: boundary(next, every(given.billing_period), -1), end: next };
      const part = share({ start: at(given.start_date), end: next }, whole);
      return [['share', plain(part.toDecimalPlaces(9)), plain(expected.proration_before_first_cycle)]];
    },
    'date-utils/proration-after-last-cycle': (given, expected) => {
      const from = at(given.previous_bill_through_date);
      const whole = { start: from, end: boundary(from, every(given.billing_period), 1) };
      const part = share({ start: from, end: at(given.end_date) }, whole);
      return [['share', plain(part.toDecimalPlaces(9)), plain(expected.proration_after_last_cycle)]];
    },
    'bcd/time-zone': (given, expected) => [
      [
        'day',
        localOf(at(given.first_recurring_charge_instant), given.account_time_zone).day,
        expected.billing_cycle_day,
      ],
    ],
    'bcd/align-proposed': (given, expected) => {
      const proposed = at(given.proposed_date);
      const january = new Date(Date.UTC(proposed.getUTCFullYear(), 0, given.billing_cycle_day));
      return [['date', day(boundary(january, every('MONTHLY'), proposed.getUTCMonth())), expected.aligned_date]];
    },
    'bcd/align-to-next': (given, expected) => {
      const cadence = every(given.billing_period);
      const proposed = at(given.proposed_date);
      const anchor = given.original_date
        ? at(given.original_date)
        : anchorOf(proposed, given.billing_cycle_day, cadence);
      return [['date', day(onOrAfter(anchor, cadence, proposed)), expected.aligned_date]];
    },
    'usage/in-arrear/all-tiers': byUnit('SLAB'),
    'usage/in-arrear/top-tier': byUnit('VOLUME'),
    'usage/in-arrear/capacity': capacity,
    'kb-358': (given, expected) => {
      let left = d(given.units);
      const amounts = (given.tiers as Facts[]).map((tier) => {
        const part = Decimal.min(left, d(tier.block_size).times(tier.max_blocks));
        left = left.minus(part);
        return plain(priceOf(packs(tier), part));
      });
      return [['tiers', amounts, expected.tier_amounts]];
    },
    'kb-367': (given, expected) =>
      (expected.new_items as Facts[]).map((item, place): Check => {
        const usage = (given.raw_usage as Facts[]).filter((raw) => item.start <= raw.date && raw.date < item.end);
        const cost = priceOf(packs(given.tiers[0]), sum(usage.map((raw) => d(raw.units))));
        return [item.start, plain(cost.minus(given.already_billed[place].amount)), plain(item.amount)];
      }),
    'usage/in-arrear/rounding': (given) => {
      const cost = priceOf({ model: 'FLAT_FEE', amount: d(given.tiers[0].price_per_block) }, d(given.units));
      return [['left to bill', plain(roundMoney(cost, given.currency).minus(given.already_billed)), '0']];
    },
    'usage/in-arrear/transitions': (given, expected) => {
      const cadence = every(given.billing_period);
      const [from, target] = [at(given.create), at(given.target)];
      const anchor = anchorOf(from, given.billing_cycle_day, cadence);
      const dates = [day(from)];
      for (let next = periodContaining(anchor, cadence, from).end; next <= target;) {
        dates.push(day(next));
        next = periodContaining(anchor, cadence, next).end;
      }
      return [['dates', dates, expected.transition_dates]];
    },
    'kb-410': (given, expected) => {
      const [first, second] = given.changes as Facts[];
      return [
        ['first', kept(given.existing, first!.date), plain(expected.kept[0].amount)],
        ['second', kept(first!.new_item, second!.date), plain(expected.kept[1].amount)],
        ['third', plain(second!.new_item.amount), plain(expected.kept[2].amount)],
      ];
    },
    'kb-413': (given, expected) => [['kept', kept(given.existing, given.change_date), plain(expected.kept[0].amount)]],
    'kb-414': (given, expected) => [
      ['back', back(given.existing, given.blocked[0]), amountOf(expected.new_items, '2014-01-14')],
      [
        'tail',
        plain(money(prorate(d('90'), spanOf({ start: '2015-01-01', end: '2015-02-01' }), spanOf(given.proposed[1])))),
        amountOf(expected.new_items, '2015-01-01'),
      ],
    ],
    'repair/cancel': (given, expected) => [
      [
        'back',
        back(given.existing, { start: given.existing.start, end: given.proposed[0].start }),
        plain(expected.new_items[0].amount),
      ],
    ],
    'kb-423': (given, expected) =>
      (expected.new_items as Facts[]).map((item): Check => [
        item.start,
        back(given.existing, item),
        plain(item.amount),
      ]),
    'repair/plan-change': (given, expected) => [
      [
        'back',
        back(given.existing[1], { start: given.change_date, end: given.existing[1].end }),
        amountOf([expected.new_items[1]], given.change_date),
      ],
    ],
    'kb-425': (given, expected) => [
      ['kept', kept(given.existing[1], given.change_date), plain(expected.kept[1].amount)],
    ],
    'kb-426': (given, expected) => [
      [
        'back',
        back(given.existing, { start: given.cancel_date, end: given.existing.end }),
        plain(expected.new_items[0].amount),
      ],
    ],
    'kb-472': (given, expected) => {
      const end = boundary(at(given.creation_instant), every('MONTHLY', given.account_time_zone), 1);
      const { year, month, day: date } = localOf(end, given.account_time_zone);
      return [['local date', day(new Date(Date.UTC(year, month, date))), expected.effective_end_local_date]];
    },
  },
  leftOut: {
    'greedy arrears bill a period before it ends': 'kb-225 kb-228 kb-229',
    'months of a fixed number of days; here shares count elapsed seconds':
      'kb-316 kb-318 kb-319 kb-321 kb-322 kb-326 kb-330 kb-333',
    'stored details of earlier items are summed by tier; here the accrual is stored': 'kb-376',
    'repair by comparing covered days; here an invoice is unique per period': 'kb-417 kb-419',
    'a repair capped by manual adjustments': 'kb-427',
    'the offset of an account is fixed when it is made; here the zone keeps its rules': 'kb-475',
  },
};
