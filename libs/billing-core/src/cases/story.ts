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

/**
 * A customer with one open period whose usage costs one credit a unit: what happens is told in time order, and lots
 * are burnt as billing-core says.
 */
export function story(granted: readonly LotState[]) {
  const lots = granted.map((one) => ({ ...one }));
  let cover: Cover = emptyCover();
  let used = ZERO;
  let drawn: Draw[] = [];
  const find = (id: string) => lots.find((one) => one.id === id)!;
  const take = (burnt: { cover: Cover; draws: Draw[] }) => {
    for (const { lotId, credits } of burnt.draws) find(lotId).remaining = find(lotId).remaining.minus(credits);
    drawn = [...drawn, ...burnt.draws];
    cover = burnt.cover;
  };
  const usable = (now: Date) => burnOrder(lots.filter((one) => one.effectiveAt <= now && mayPay(one, now, FAR)));
  const events: { now: Date; does: () => void }[] = granted.map((one) => ({
    now: one.effectiveAt,
    does: () => take(payDown(cover, usable(one.effectiveAt), ONE)),
  }));
  const plan = (now: Date, does: () => void) => void events.push({ now, does });
  return {
    use: (now: Date, quantity: string) =>
      plan(now, () => {
        used = used.plus(quantity);
        take(burn(cover, new Decimal(quantity), usable(now), ONE));
      }),
    correct: (now: Date, quantity: string) =>
      plan(now, () => {
        used = used.minus(quantity);
        const back = giveBack(cover, new Decimal(quantity), drawn, ONE);
        for (const { lotId, credits } of back.returns) find(lotId).remaining = find(lotId).remaining.plus(credits);
        cover = back.cover;
      }),
    /** Lets everything up to `now` happen, and reads. */
    read(now: Date) {
      const due = events.filter((event) => event.now <= now).toSorted((a, b) => a.now.getTime() - b.now.getTime());
      for (const event of due) event.does();
      events.splice(0, events.length, ...events.filter((event) => !due.includes(event)));
      const left = (one: LotState) => (one.effectiveAt <= now && mayPay(one, now, FAR) ? one.remaining : ZERO);
      return {
        balance: text(sum(lots.map(left))),
        /** of the lots whose id is `id`, or begins with `id#` (steps of a recurring grant) */
        of: (id: string) => text(sum(lots.filter((one) => one.id.split('#')[0] === id).map(left))),
        used: text(used),
        drawn: text(cover.credits),
        overage: text(cover.shortfall),
      };
    },
  };
}
