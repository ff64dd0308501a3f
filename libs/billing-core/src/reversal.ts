import { minorDigits } from './currency.js';
import { Decimal, ZERO, round12 } from './decimal.js';

/** Credits that were bought: for `price` money, and `overpaid` money that came beyond it and brought none. */
export interface Purchase {
  readonly credits: Decimal;
  readonly price: Decimal;
  readonly overpaid: Decimal;
}

/**
 * The credits that stand for `amount` of money going back, when `before` of it has gone back already. Money that had
 * brought no credits goes first. Differences of one rounded share, so that parts add up to the whole: what all of the
 * money brought goes back with all of it.
 */
export function creditsOfMoney(purchase: Purchase, before: Decimal, amount: Decimal): Decimal {
  return shareOf(purchase, before.plus(amount)).minus(shareOf(purchase, before));
}

/** The most money, in whole minor units, for which no more than `available` credits stand. Throws `UnknownCurrency`. */
export function moneyOfCredits(purchase: Purchase, before: Decimal, available: Decimal, currency: string): Decimal {
  const { credits, price, overpaid } = purchase;
  const share = Decimal.min(shareOf(purchase, before).plus(available), credits);
  const money = overpaid.plus(price.times(share).div(credits)).minus(before);
  return Decimal.max(money, ZERO).toDecimalPlaces(minorDigits(currency), Decimal.ROUND_DOWN);
}

function shareOf({ credits, price, overpaid }: Purchase, money: Decimal): Decimal {
  const paying = Decimal.min(Decimal.max(money.minus(overpaid), ZERO), price);
  return round12(credits.times(paying).div(price));
}
