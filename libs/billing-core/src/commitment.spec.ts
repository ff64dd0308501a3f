import { commitmentAmount, settleCommitment } from './commitment.js';
import { Decimal, text } from './decimal.js';

const d = (value: string | number) => new Decimal(value);
const commitment = { amount: d(100), overageFactor: d('1.5'), trueUp: true };
const told = (usage: number, of = commitment, share?: Decimal) => {
  const { utilized, overage, surcharge, trueUp } = settleCommitment(of, d(usage), share);
  return [utilized, overage, surcharge, trueUp].map(text);
};

it('usage within the promise costs no more than the promise, the unused rest is charged', () => {
  expect(told(60)).toEqual(['60', '0', '0', '40']);
  expect(told(100)).toEqual(['100', '0', '0', '0']);
  expect(told(0)).toEqual(['0', '0', '0', '100']);
});

it('usage beyond it costs its price times the factor: 140 is 100 + 40 x 1.5, a surcharge of 20', () => {
  expect(told(140)).toEqual(['100', '60', '20', '0']);
});

it('without true-up the unused rest is not charged', () => {
  expect(told(60, { ...commitment, trueUp: false })).toEqual(['60', '0', '0', '0']);
});

it('of a part of a period, that part is promised', () => {
  expect(told(60, commitment, d('0.5'))).toEqual(['50', '15', '5', '0']);
});

it('a promised quantity is worth what it costs', () => {
  expect(text(commitmentAmount({ model: 'FLAT_FEE', amount: d('1.5') }, d(1000)))).toBe('1500');
});
