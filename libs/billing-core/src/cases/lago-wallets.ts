import { burn, burnOrder, emptyCover } from '../burn-down.js';
import { ONE, ZERO, sum } from '../decimal.js';
import { reserve } from '../hold.js';
import { type BillingPeriod, periodContaining } from '../period.js';
import { AUTO_TOP_UP_DEFAULTS, decideTopUp } from '../top-up.js';
import { type Check, type Facts, type Runner, at, d, day, plain } from './case.js';
import { lot } from './story.js';

export const PERIODS: Record<string, BillingPeriod> = {
  weekly: 'WEEKLY',
  monthly: 'MONTHLY',
  quarterly: 'QUARTERLY',
  semiannual: 'HALF_YEARLY',
  yearly: 'ANNUAL',
};

function walletLots(wallets: Facts[]) {
  const lots = wallets.flatMap((wallet, place) =>
    ((wallet.lots ?? [{ credits: wallet.balance, kind: 'granted' }]) as Facts[]).map((one, n) =>
      lot(`${wallet.name ?? place}#${n}`, one.credits, {
        priority: one.priority ?? wallet.priority ?? null,
        purchased: one.kind === 'purchased',
        effectiveAt: new Date(place * 100 + n - (one.age_days ?? 0) * 86_400_000),
      }),
    ),
  );
  return lots;
}
/** Burns an amount and tells the credits drawn from each lot, in the order the lots were given. */
function drawnFrom(wallets: Facts[], amount: string) {
  const lots = walletLots(wallets);
  const { draws, cover } = burn(emptyCover(), d(amount), burnOrder(lots), ONE);
  const taken = lots.map(({ id }) => sum(draws.filter((draw) => draw.lotId === id).map((draw) => draw.credits)));
  return {
    taken: taken.map(plain),
    left: lots.map((one, place) => plain(one.remaining.minus(taken[place]!))),
    of: (name: string) => plain(sum(lots.map(({ id }, place) => (id.split('#')[0] === name ? taken[place]! : ZERO)))),
    short: cover.shortfall,
  };
}
const consumed: Runner = (given, expected) => {
  const amount = given.consume ?? given.void_credits?.[0] ?? given.events[0].value;
  const { taken, left } = drawnFrom(given.wallets, amount);
  const wanted = expected.voided_per_lot ?? expected.consumed_per_lot;
  const checks: Check[] = [['left', left, (expected.remaining_per_lot as string[]).map(plain)]];
  return wanted ? [...checks, ['taken', taken, (wanted as string[]).map(plain)]] : checks;
};
/** Their last wallet goes below zero; here that is the shortfall. */
const allocated: Runner = (given, expected) => {
  const { of, short } = drawnFrom(given.wallets, given.uninvoiced_usage);
  const want = Object.entries<string>(expected.allocated_usage);
  return want.map(([name, used], place): Check => {
    const ours = place === want.length - 1 ? d(of(name)).plus(short) : d(of(name));
    return [name, plain(ours), plain(used)];
  });
};
const used: Runner = (given, expected) => {
  const mayPay = (given.wallets as Facts[]).filter(
    (wallet) => !wallet.only_for || wallet.only_for.includes('type:usage'),
  );
  const { of } = drawnFrom(mayPay, given.invoice.total);
  return Object.entries<string>(expected.used).map(([name, amount]): Check => [name, of(name), plain(amount)]);
};

const topUp: Runner = (given, expected) => {
  const now = at('2026-01-01');
  const declined = given.declined_auto_top_up_minutes_ago;
  const rule = {
    enabled: true,
    threshold: d(given.rule.threshold_credits),
    amount: d(given.rule.paid_credits),
    purchaseRate: ONE,
    ...AUTO_TOP_UP_DEFAULTS,
  };
  const state = {
    balance: d(given.wallet.projected_credits),
    open: Boolean(given.pending_credits),
    trialing: false,
    boughtAt: [],
    declinedAt: declined ? [new Date(now.getTime() - declined * 60_000)] : [],
  };
  const decision = decideTopUp(rule, state, now);
  return [['buys', decision.due ? plain(decision.credits) : null, expected.top_up?.paid_credits ?? null]];
};
const recurringTopUp: Runner = (given, expected) => {
  const anchor = at(given.rule.starts_at ?? given.wallet.created_at);
  const cadence = { billingPeriod: PERIODS[given.rule.interval]!, count: 1, zone: 'UTC' };
  const isStep = (date: string) => {
    const { start, index } = periodContaining(anchor, cadence, at(date));
    return index > 0 && day(start) === date;
  };
  return [
    ['on', (expected.top_up_on as string[]).map(isStep), (expected.top_up_on as string[]).map(() => true)],
    ['not on', (expected.no_top_up_on as string[]).map(isStep), (expected.no_top_up_on as string[]).map(() => false)],
  ];
};

export const WALLETS: Record<string, Runner> = {
  wallet: consumed,
  'lago-wa-005': (given, expected) => {
    const { taken, left } = drawnFrom(given.wallets, given.events[0].value);
    const { credits_from_granted: granted, credits_from_purchased: purchased } = expected.invoice;
    return [
      ['taken', taken, [plain(granted), plain(purchased)]],
      ['left', left, (expected.remaining_per_lot as string[]).map(plain)],
    ];
  },
  'lago-wa-014': (given, expected) => {
    const { short } = reserve(burnOrder(walletLots(given.wallets)), d(given.void_credits[0]));
    return [['refused', short.gt(ZERO), expected.http_status === 422]];
  },
  'lago-wa-035': (given, expected) => {
    const mayPay = (given.wallets as Facts[]).filter((wallet) => wallet.only_for.includes('type:usage'));
    const { of, short } = drawnFrom(mayPay, plain(sum(Object.values<string>(given.usage).map(d))));
    const last = mayPay.at(-1)!.name;
    return mayPay.map((wallet): Check => {
      const left = d(wallet.lots[0].credits).minus(of(wallet.name));
      return [
        wallet.name,
        plain(wallet.name === last ? left.minus(short) : left),
        plain(expected.projected[wallet.name]),
      ];
    });
  },
  'lago-wa-037': allocated,
  'lago-wa-039': allocated,
  'lago-wa-042': used,
  'lago-wa-043': used,
  'lago-wa-047': (given, expected) => {
    const { of } = drawnFrom(given.wallets, given.invoice.total);
    return [
      ['drawn', [of('w1'), of('w2')], [plain(expected.credits_from_granted), plain(expected.credits_from_purchased)]],
    ];
  },
  recurring_topup: (given, expected) =>
    given.rule.trigger === 'interval' ? recurringTopUp(given, expected) : topUp(given, expected),
};
