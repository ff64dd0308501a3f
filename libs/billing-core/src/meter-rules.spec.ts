import type { Aggregation, Meter } from './aggregate.js';
import { validateAllowanceWindow, validateMeter } from './meter-rules.js';

const meter = (aggregation: Aggregation, more: Partial<Meter> = {}): Meter => ({
  eventName: 'e',
  filters: [],
  resetUsage: 'BILLING_PERIOD',
  ...more,
  aggregation,
});
const fields = (of: Meter) => validateMeter(of).map(({ field }) => field);

it.each<[string, Meter]>([
  ['COUNT without a field', meter({ type: 'COUNT' })],
  ['a multiplier', meter({ type: 'SUM_WITH_MULTIPLIER', field: 'n', multiplier: '0.001' })],
  ['grouped buckets', meter({ type: 'MAX', field: 'n', bucketSize: 'HOUR', groupBy: 'host' })],
  ['a level that is never reset', meter({ type: 'WEIGHTED_SUM', field: 'n' }, { resetUsage: 'NEVER' })],
])('%s is right', (_, of) => expect(validateMeter(of)).toEqual([]));

it.each<[string, Meter, string]>([
  ['SUM without a field', meter({ type: 'SUM' }), 'aggregation.field'],
  ['no event name', meter({ type: 'COUNT' }, { eventName: ' ' }), 'event_name'],
  ['a filter without a key', meter({ type: 'COUNT' }, { filters: [{ key: '', values: ['x'] }] }), 'filters[0].key'],
  ['no multiplier', meter({ type: 'SUM_WITH_MULTIPLIER', field: 'n' }), 'aggregation.multiplier'],
  [
    'a multiplier of zero',
    meter({ type: 'SUM_WITH_MULTIPLIER', field: 'n', multiplier: '0' }),
    'aggregation.multiplier',
  ],
  ['a multiplier on SUM', meter({ type: 'SUM', field: 'n', multiplier: '2' }), 'aggregation.multiplier'],
  ['buckets of AVG', meter({ type: 'AVG', field: 'n', bucketSize: 'HOUR' }), 'aggregation.bucket_size'],
  ['groups without buckets', meter({ type: 'MAX', field: 'n', groupBy: 'host' }), 'aggregation.group_by'],
  [
    'buckets carried over',
    meter({ type: 'MAX', field: 'n', bucketSize: 'DAY' }, { resetUsage: 'NEVER' }),
    'reset_usage',
  ],
])('%s is refused', (_, of, field) => expect(fields(of)).toContain(field));

describe('a window of free units', () => {
  const refused = (aggregation: Aggregation, window: Parameters<typeof validateAllowanceWindow>[1]) =>
    validateAllowanceWindow({ aggregation }, window, 'MONTHLY').length > 0;

  it('may be any for COUNT, SUM and SUM_WITH_MULTIPLIER, and the billing period for all', () => {
    expect(refused({ type: 'SUM', field: 'n' }, 'DAILY')).toBe(false);
    expect(refused({ type: 'COUNT' }, 'NEVER')).toBe(false);
    expect(refused({ type: 'MAX', field: 'n' }, 'MONTHLY')).toBe(false);
    expect(refused({ type: 'MAX', field: 'n' }, null)).toBe(false);
  });

  it('is refused for others and for buckets', () => {
    expect(refused({ type: 'MAX', field: 'n' }, 'DAILY')).toBe(true);
    expect(refused({ type: 'COUNT_UNIQUE', field: 'n' }, 'NEVER')).toBe(true);
    expect(refused({ type: 'SUM', field: 'n', bucketSize: 'HOUR' }, 'DAILY')).toBe(true);
  });
});
