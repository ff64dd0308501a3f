import {
  type Cover,
  type Draw,
  type LotState,
  burn,
  burnOrder,
  emptyCover,
  giveBack,
  mayPay,
  payDown,
} from '../burn-down.js';
import { Decimal, ONE, ZERO, sum, text } from '../decimal.js';

export const FAR = new Date('2999-01-01T00:00:00Z');

/** A lot of so many credits, in effect from the beginning of time unless told otherwise. */
export function lot(id: string, credits: Decimal | string, more: Partial<LotState> = {}): LotState {
  const effectiveAt = more.effectiveAt ?? new Date(0);
  return {
    id,
    walletId: 'w',
    priority: null,
    expiresAt: null,
    purchased: false,
    createdAt: effectiveAt,
    held: ZERO,
    rate: ONE,
    ...more,
    effectiveAt,
    remaining: new Decimal(credits),
  };
}

/** Draws and usage of a customer with one open period, whose usage costs one credit a unit. */
function account(granted: readonly LotState[]) {
  const lots = granted.map((one) => ({ ...one }));
  const find = (id: string) => lots.find((one) => one.id === id)!;
  const usable = (now: Date) => burnOrder(lots.filter((one) => one.effectiveAt <= now && mayPay(one, now, FAR)));
  let cover: Cover = emptyCover();
  let used = ZERO;
  let drawn: Draw[] = [];
  const take = (burnt: { cover: Cover; draws: Draw[] }) => {
    for (const { lotId, credits } of burnt.draws) find(lotId).remaining = find(lotId).remaining.minus(credits);
    drawn = [...drawn, ...burnt.draws];
    cover = burnt.cover;
  };
  return {
    payDown: (now: Date) => take(payDown(cover, usable(now), ONE)),
    use(now: Date, quantity: string) {
      used = used.plus(quantity);
      take(burn(cover, new Decimal(quantity), usable(now), ONE));
    },
    correct(quantity: string) {
      used = used.minus(quantity);
      const back = giveBack(cover, new Decimal(quantity), drawn, ONE);
      for (const { lotId, credits } of back.returns) find(lotId).remaining = find(lotId).remaining.plus(credits);
      cover = back.cover;
    },
    /** what stands now; `of` sums the lots whose id is `id`, or begins with `id#` (steps of a recurring grant) */
    read(now: Date) {
      const left = (of: readonly LotState[]) =>
        text(
          sum(
            usable(now)
              .filter((one) => of.includes(one))
              .map((one) => one.remaining),
          ),
        );
      const of = (id: string) => left(lots.filter((one) => one.id.split('#')[0] === id));
      return { balance: left(lots), of, used: text(used), drawn: text(cover.credits), overage: text(cover.shortfall) };
    },
  };
}

/** The same, told in any order: what happens takes place in time order when it is read. */
export function story(granted: readonly LotState[]) {
  const customer = account(granted);
  let planned = granted.map(({ effectiveAt }) => ({ now: effectiveAt, does: () => customer.payDown(effectiveAt) }));
  return {
    use: (now: Date, quantity: string) => void planned.push({ now, does: () => customer.use(now, quantity) }),
    correct: (now: Date, quantity: string) => void planned.push({ now, does: () => customer.correct(quantity) }),
    read(now: Date) {
      const due = planned.filter((event) => event.now <= now).toSorted((a, b) => a.now.getTime() - b.now.getTime());
      planned = planned.filter((event) => event.now > now);
      for (const event of due) event.does();
      return customer.read(now);
    },
  };
}
