import fc from 'fast-check';
import { Decimal, sum } from './decimal.js';
import { creditsOfMoney, moneyOfCredits } from './reversal.js';

const d = (value: string) => new Decimal(value);
const bought = { credits: d('500'), price: d('250'), overpaid: d('0') };

describe('credits that go back with their money', () => {
  it.each([
    ['all of it', '0', '250', '500'],
    ['a part', '0', '100', '200'],
    ['the rest', '100', '150', '300'],
    ['more than was paid for them', '0', '300', '500'],
  ])('%s', (_what, before, amount, credits) => {
    expect(creditsOfMoney(bought, d(before), d(amount)).toFixed()).toBe(credits);
  });

  it('money that came too much goes first, and takes none', () => {
    const twice = { ...bought, overpaid: d('250') };
    expect(creditsOfMoney(twice, d('0'), d('250')).toFixed()).toBe('0');
    expect(creditsOfMoney(twice, d('250'), d('250')).toFixed()).toBe('500');
    expect(creditsOfMoney(twice, d('200'), d('100')).toFixed()).toBe('100');
  });

  it('parts add up to the whole, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 18n),
        fc.array(fc.integer({ min: 1, max: 9999 }), { minLength: 1, maxLength: 12 }),
        (credits, cents) => {
          const parts = cents.map((cent) => new Decimal(cent).div(100));
          const purchase = { credits: new Decimal(credits.toString()).div(1000), price: sum(parts), overpaid: d('0') };
          let before = d('0');
          let back = d('0');
          for (const part of parts) {
            back = back.plus(creditsOfMoney(purchase, before, part));
            before = before.plus(part);
          }
          expect(back.toFixed()).toBe(purchase.credits.toFixed());
        },
      ),
    );
  });

  it('says how much money can go back for the credits that are left', () => {
    expect(moneyOfCredits(bought, d('0'), d('199'), 'usd').toFixed()).toBe('99.5');
    expect(moneyOfCredits(bought, d('0'), d('500'), 'usd').toFixed()).toBe('250');
    expect(moneyOfCredits(bought, d('50'), d('0'), 'usd').toFixed()).toBe('0');
    expect(moneyOfCredits({ ...bought, overpaid: d('10') }, d('0'), d('0'), 'usd').toFixed()).toBe('10');
    expect(moneyOfCredits({ ...bought, credits: d('3') }, d('0'), d('1'), 'jpy').toFixed()).toBe('83');
  });
});
