import { type AggregationType, type Meter, matches, quantityOf } from './aggregate.js';
import { text } from './decimal.js';

const meter = (type: AggregationType, more: Partial<Meter> & { field?: string; multiplier?: string } = {}): Meter => ({
  eventName: 'contact_enrich',
  filters: more.filters ?? [],
  aggregation: { type, field: more.field ?? null, multiplier: more.multiplier ?? null },
  resetUsage: 'BILLING_PERIOD',
});

describe('matches', () => {
  const filtered = meter('COUNT', {
    filters: [
      { key: 'status', values: ['success', 'true', '3'] },
      { key: 'region', values: ['eu'] },
    ],
  });
  it.each<[string, Record<string, unknown>, boolean]>([
    ['all filters hold', { status: 'success', region: 'eu' }, true],
    ['one filter does not', { status: 'success', region: 'us' }, false],
    ['true is "true"', { status: true, region: 'eu' }, true],
    ['3 is "3"', { status: 3, region: 'eu' }, true],
    ['a list never matches', { status: ['success'], region: 'eu' }, false],
    ['an object never matches', { status: { toString: 'success' }, region: 'eu' }, false],
    ['null never matches', { status: null, region: 'eu' }, false],
    ['a missing property never matches', { region: 'eu' }, false],
    ['capital letters matter', { status: 'Success', region: 'eu' }, false],
  ])('%s', (_, properties, expected) => {
    expect(matches(filtered, { eventName: 'contact_enrich', properties })).toBe(expected);
  });

  it('another event name never matches', () => {
    expect(matches(meter('COUNT'), { eventName: 'table_create', properties: {} })).toBe(false);
  });

  it('a filter without values restricts nothing', () => {
    const open = meter('COUNT', { filters: [{ key: 'status', values: [] }] });
    expect(matches(open, { eventName: 'contact_enrich', properties: {} })).toBe(true);
  });

  it('a property every object has is not a property of the event', () => {
    const odd = meter('COUNT', { filters: [{ key: 'constructor', values: ['x'] }] });
    expect(matches(odd, { eventName: 'contact_enrich', properties: {} })).toBe(false);
  });
});

const INEXACT = 'property "rows" has more digits than a JSON number holds exactly: send it as text';

describe('quantityOf', () => {
  const quantity = (of: Meter, properties: Record<string, unknown>) => {
    const answer = quantityOf(of, { properties });
    return 'problem' in answer ? answer.problem : text(answer.quantity);
  };
  it.each<[string, Meter, Record<string, unknown>, string]>([
    ['COUNT is 1', meter('COUNT'), {}, '1'],
    ['SUM is the property', meter('SUM', { field: 'rows' }), { rows: '20' }, '20'],
    ['a number will do', meter('SUM', { field: 'rows' }), { rows: 2.5 }, '2.5'],
    ['a correction is negative', meter('SUM', { field: 'rows' }), { rows: '-3' }, '-3'],
    ['a multiplier', meter('SUM_WITH_MULTIPLIER', { field: 'kb', multiplier: '0.001' }), { kb: '1500' }, '1.5'],
    ['COUNT_UNIQUE is 1', meter('COUNT_UNIQUE', { field: 'user' }), { user: 'u1' }, '1'],
    ['missing', meter('SUM', { field: 'rows' }), {}, 'property "rows" is missing'],
    ['null is missing', meter('SUM', { field: 'rows' }), { rows: null }, 'property "rows" is missing'],
    ['blank is missing', meter('SUM', { field: 'rows' }), { rows: '' }, 'property "rows" is missing'],
    ['words', meter('SUM', { field: 'rows' }), { rows: 'many' }, 'property "rows" is not a number'],
    ['a number of 15 digits', meter('SUM', { field: 'rows' }), { rows: 123456789.012345 }, '123456789.012345'],
    ['the largest exact whole number', meter('SUM', { field: 'rows' }), { rows: 2 ** 53 - 1 }, '9007199254740991'],
    ['a whole number beyond it', meter('SUM', { field: 'rows' }), { rows: 2 ** 53 }, INEXACT],
    ['1e20 as a number', meter('SUM', { field: 'rows' }), { rows: 1e20 }, INEXACT],
    ['a number of 17 digits', meter('SUM', { field: 'rows' }), { rows: 1234567 + 0.1234567891 }, INEXACT],
    ['as text both are exact', meter('SUM', { field: 'rows' }), { rows: '9007199254740993' }, '9007199254740993'],
    ['NaN', meter('SUM', { field: 'rows' }), { rows: 'NaN' }, 'property "rows" is not a number'],
    ['a list', meter('SUM', { field: 'rows' }), { rows: ['1', '2'] }, 'property "rows" is not a number'],
    ['a boolean', meter('SUM', { field: 'rows' }), { rows: true }, 'property "rows" is not a number'],
    ['an exponent', meter('SUM', { field: 'rows' }), { rows: '1e400' }, 'property "rows" is not a number'],
    [
      'too fine',
      meter('SUM', { field: 'rows' }),
      { rows: '0.0000000000001' },
      'property "rows" has more than 26 integer digits or 12 decimal places',
    ],
    ['nested', meter('COUNT_UNIQUE', { field: 'user' }), { user: { id: 1 } }, 'property "user" is not a plain value'],
    ['no field', meter('SUM'), { rows: '1' }, 'a meter that aggregates by SUM needs a field'],
  ])('%s', (_, of, properties, expected) => {
    expect(quantity(of, properties)).toBe(expected);
  });
});
