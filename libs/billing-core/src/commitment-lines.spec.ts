import { type CommittedUsage, commitmentLines } from './commitment-lines.js';
import { Decimal, text } from './decimal.js';

const d = (value: string | number) => new Decimal(value);
const commitment = { amount: d(100), overageFactor: d('1.5'), trueUp: true };
const at = (day: string) => new Date(`2026-${day}T00:00:00Z`);
const april = { start: at('04-01'), end: at('05-01') };

const lines = (accrued: number, over: Partial<CommittedUsage> = {}, of = commitment) =>
  commitmentLines(of, {
    period: { id: 'p1', ...april, whole: april },
    itemId: null,
    accrued: d(accrued),
    billed: null,
    ...over,
  }).map((line) => [line.key, text(line.gross), line.late]);

it('usage beyond the promise is charged what the factor adds, usage below it what is missing, at it nothing', () => {
  expect(lines(140)).toEqual([['commitment:overage:p1', '20', false]]);
  expect(lines(60)).toEqual([['commitment:true_up:p1', '40', false]]);
  expect(lines(100)).toEqual([]);
  expect(lines(60, {}, { ...commitment, trueUp: false })).toEqual([]);
  expect(lines(140, {}, { ...commitment, overageFactor: d(1) })).toEqual([]);
});

it('a part of a period promises its share', () => {
  const period = { id: 'p1', start: at('04-01'), end: at('04-16'), whole: april };
  expect(lines(60, { period })).toEqual([['commitment:overage:p1', '5', false]]);
});

it('an item that runs in a part of the period promises the share of that part', () => {
  const usage = { period: { id: 'p1', ...april, whole: april }, itemId: 'rows', accrued: d(60), billed: null };
  const [line, ...others] = commitmentLines(commitment, usage, { start: at('04-01'), end: at('04-16') });
  expect([line!.key, line!.itemId, text(line!.gross), line!.span.end]).toEqual([
    'commitment:overage:p1:rows',
    'rows',
    '5',
    at('04-16'),
  ]);
  expect(others).toEqual([]);
});

it('after it was billed only the difference is charged: late usage takes true-up back, then costs more', () => {
  expect(lines(90, { billed: d(60) })).toEqual([['commitment:true_up:p1', '-30', true]]);
  expect(lines(140, { billed: d(60) })).toEqual([
    ['commitment:overage:p1', '20', true],
    ['commitment:true_up:p1', '-40', true],
  ]);
  expect(lines(140, { billed: d(140) })).toEqual([]);
});

it('says what the period came to in all', () => {
  const [line] = commitmentLines(commitment, {
    period: { id: 'p1', ...april, whole: april },
    itemId: null,
    accrued: d(140),
    billed: d(120),
  });
  const { kind, promised, utilized, overage } = line!.commitment!;
  expect([kind, ...[promised, utilized, overage].map(text)]).toEqual(['overage', '100', '100', '60']);
  expect([line!.itemId, line!.span]).toEqual([null, april]);
});
