import { Decimal, text } from './decimal.js';
import { type UnitPrice, priceOf } from './price.js';

const d = (value: string | number) => new Decimal(value);
const tiered = (tierMode: 'SLAB' | 'VOLUME', flats: (string | null)[] = []): UnitPrice => ({
  model: 'TIERED',
  tierMode,
  tiers: [
    { upTo: d(10), unitAmount: d('5'), flatAmount: flats[0] ? d(flats[0]) : null },
    { upTo: d(20), unitAmount: d('4'), flatAmount: flats[1] ? d(flats[1]) : null },
    { upTo: null, unitAmount: d('3'), flatAmount: flats[2] ? d(flats[2]) : null },
  ],
});
const perThousand = (round: 'up' | 'down'): UnitPrice => ({ model: 'PACKAGE', amount: d(2), divideBy: d(1000), round });

describe('priceOf', () => {
  it.each<[string, UnitPrice, string, string]>([
    ['a flat fee on usage is amount x quantity', { model: 'FLAT_FEE', amount: d('1.5') }, '1500', '2250'],
    ['a flat fee of a part of a unit', { model: 'FLAT_FEE', amount: d('10') }, '0.25', '2.5'],
    ['a package started counts when rounded up', perThousand('up'), '1001', '4'],
    ['a full package is one package', perThousand('up'), '1000', '2'],
    ['a part of a unit starts a package', perThousand('up'), '1000.000000000001', '4'],
    ['a package not full is free when rounded down', perThousand('down'), '1999', '2'],
    ['nothing of a package', perThousand('up'), '0', '0'],
    ['slabs price each unit where it falls', tiered('SLAB'), '25', '105'],
    ['a slab ends with its last unit', tiered('SLAB'), '10', '50'],
    ['a slab begins right after it', tiered('SLAB'), '10.5', '52'],
    ['flat amounts of slabs add up as they are reached', tiered('SLAB', ['1', '2', '4']), '11', '57'],
    ['a slab that is not reached costs nothing', tiered('SLAB', ['1', '2', '4']), '10', '51'],
    ['volume prices all units by the last tier reached', tiered('VOLUME'), '25', '75'],
    ['volume at the end of a tier', tiered('VOLUME'), '20', '80'],
    ['volume adds one flat amount', tiered('VOLUME', ['1', '2', '4']), '11', '46'],
    ['no units reach no tier', tiered('VOLUME', ['1', '2', '4']), '0', '0'],
    ['less than nothing costs nothing', tiered('SLAB', ['1', '2', '4']), '-5', '0'],
    ['a minimum bills more than was used', { model: 'FLAT_FEE', amount: d(2), minQuantity: d(5) }, '3', '10'],
    ['a minimum does not bill what was not used', { model: 'FLAT_FEE', amount: d(2), minQuantity: d(5) }, '0', '0'],
    ['more than the minimum', { model: 'FLAT_FEE', amount: d(2), minQuantity: d(5) }, '6', '12'],
  ])('%s', (_, price, quantity, cost) => {
    expect(text(priceOf(price, d(quantity)))).toBe(cost);
  });

  it('volume may cost less for more (it is not monotone)', () => {
    expect(priceOf(tiered('VOLUME'), d(21)).lt(priceOf(tiered('VOLUME'), d(20)))).toBe(true);
  });

  it('a last tier with an end goes on beyond it', () => {
    const tiers = [{ upTo: d(10), unitAmount: d(5), flatAmount: d(1) }];
    expect(text(priceOf({ model: 'TIERED', tierMode: 'SLAB', tiers }, d(12)))).toBe('61');
    expect(text(priceOf({ model: 'TIERED', tierMode: 'VOLUME', tiers }, d(12)))).toBe('61');
  });
});
