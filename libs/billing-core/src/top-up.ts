import { Decimal, ZERO, ceil12, round12 } from './decimal.js';

/** When a wallet buys credits by itself. Threshold and amount are credits, both 0 or more. */
export interface AutoTopUpRule {
  enabled: boolean;
  threshold: Decimal;
  amount: Decimal;
  /** money = credits x rate, by which the purchase is priced (`topup_conversion_rate`) */
  purchaseRate: Decimal;
  /** the least time between two purchases (ms) */
  cooldownMs: number;
  /** purchases within 24 hours, at most */
  dailyCap: number;
  /** declines in a row after which it stops until it is switched on again */
  stopAfterDeclines: number;
}

export const AUTO_TOP_UP_DEFAULTS = { cooldownMs: 60_000, dailyCap: 10, stopAfterDeclines: 4 } as const;

/**
 * Credits given or bought at one time, at most: what a wallet ever holds stays within 26 digits, so that nothing that was
 * accepted can turn out too large when it falls due.
 */
export const MOST_CREDITS = '1000000000000000';

/** What is known of a wallet's purchases. */
export interface AutoTopUpState {
  /** the real-time credit balance, after all of an instant's work */
  balance: Decimal;
  /** a purchase not yet settled: nothing is bought beside it */
  open: boolean;
  trialing: boolean;
  /** when purchases of the last 24 hours were begun, settled or not */
  boughtAt: readonly Date[];
  /** the last declines in a row, none since a success or since it was switched on */
  declinedAt: readonly Date[];
}

export const TOP_UP_REFUSALS = [
  'off',
  'trialing',
  'enough_credits',
  'in_progress',
  'stopped_after_declines',
  'backing_off',
  'cooling_down',
  'daily_cap',
] as const;
export type TopUpRefusal = (typeof TOP_UP_REFUSALS)[number];

/** Buy so many credits for so much money (12 places), or why not and, when time alone changes that, when to ask again. */
export type TopUpDecision =
  { due: true; credits: Decimal; money: Decimal } | { due: false; reason: TopUpRefusal; retryAt: Date | null };

const DAY_MS = 86_400_000;
const FIRST_BACK_OFF_MS = 3_600_000;

/** True when the balance (credits) calls for more. MEANING "Credits bought": "`real_time_credit_balance <= threshold`". */
export function isTopUpDue(balance: Decimal, threshold: Decimal): boolean {
  return balance.lte(threshold);
}

/**
 * Whether a wallet buys credits now. MEANING "Credits bought, and unpaid bills": "due whenever that wallet's
 * `real_time_credit_balance <= threshold` …; not in a trial"; DESIGN "Money through Stripe": "one open per wallet,
 * cooldown, daily cap, back-off after a decline and a stop after repeated ones, each visible".
 */
export function decideTopUp(rule: AutoTopUpRule, state: AutoTopUpState, now: Date): TopUpDecision {
  if (!rule.enabled) return no('off');
  if (!isTopUpDue(state.balance, rule.threshold)) return no('enough_credits');
  if (state.trialing) return no('trialing');
  if (state.open) return no('in_progress');
  if (state.declinedAt.length >= rule.stopAfterDeclines) return no('stopped_after_declines');
  const waits: [TopUpRefusal, Date | null][] = [
    ['backing_off', backOffEnd(state.declinedAt)],
    ['daily_cap', capEnd(state.boughtAt, rule.dailyCap, now)],
    ['cooling_down', cooldownEnd(state.boughtAt, rule.cooldownMs)],
  ];
  for (const [reason, until] of waits) {
    if (until && now < until) return no(reason, until);
  }
  return { due: true, credits: rule.amount, money: round12(rule.amount.times(rule.purchaseRate)) };
}

function no(reason: TopUpRefusal, retryAt: Date | null = null): TopUpDecision {
  return { due: false, reason, retryAt };
}

/** After declines in a row, one hour and then twice as long each time, at most a day. Null without a decline. */
export function backOffEnd(declinedAt: readonly Date[]): Date | null {
  if (declinedAt.length === 0) return null;
  const wait = Math.min(FIRST_BACK_OFF_MS * 2 ** (declinedAt.length - 1), DAY_MS);
  return new Date(latest(declinedAt) + wait);
}

function cooldownEnd(boughtAt: readonly Date[], cooldownMs: number): Date | null {
  return boughtAt.length === 0 ? null : new Date(latest(boughtAt) + cooldownMs);
}

/** When the purchase that fills the cap is 24 hours past. */
function capEnd(boughtAt: readonly Date[], dailyCap: number, now: Date): Date | null {
  const recent = boughtAt
    .filter((at) => at.getTime() > now.getTime() - DAY_MS)
    .toSorted((a, b) => a.getTime() - b.getTime());
  const filling = recent.at(-dailyCap);
  return filling && dailyCap > 0 ? new Date(filling.getTime() + DAY_MS) : null;
}

function latest(instants: readonly Date[]): number {
  return Math.max(...instants.map((at) => at.getTime()));
}

/**
 * What a purchase costs and brings: by credits (they win when both are given) or by money, at the purchase rate.
 * Credits bought for money are cut up to 12 places in the buyer's favour. MEANING "Credits bought": "`topup_conversion_rate`
 * prices the purchase".
 */
export function purchase(
  by: { credits: Decimal | null; money: Decimal | null },
  purchaseRate: Decimal,
): { credits: Decimal; money: Decimal } {
  if (by.credits) return { credits: by.credits, money: round12(by.credits.times(purchaseRate)) };
  const money = by.money ?? ZERO;
  return { credits: ceil12(money.div(purchaseRate)), money };
}
