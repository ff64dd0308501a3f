import { Decimal, text } from './decimal.js';
import { draftInvoice } from './invoice-draft.js';

const line = (gross: string, waived = '0', credits = '0') => ({
  key: gross,
  gross: new Decimal(gross),
  waived: new Decimal(waived),
  credits: new Decimal(credits),
});
const shown = (gross: string, waived: string, credits: string, currency = 'USD') => {
  const drafted = draftInvoice([line(gross, waived, credits)], currency).lines[0]!;
  return [drafted.gross, drafted.waived, drafted.credits, drafted.due].map(text);
};

describe('a line', () => {
  it.each([
    ['149', '0', '0', ['149', '0', '0', '149']],
    ['36.649193548387', '0', '0', ['36.65', '0', '0', '36.65']],
    ['2250', '0', '2000', ['2250', '0', '2000', '250']],
    ['40', '0', '40', ['40', '0', '40', '0']],
    ['40', '25', '15', ['40', '25', '15', '0']],
    ['0.015', '0', '0.01', ['0.02', '0', '0.01', '0.01']],
    ['0.014', '0.005', '0', ['0.01', '0', '0', '0.01']],
    ['0.014', '0.006', '0.001', ['0.01', '0', '0', '0.01']],
    ['0.005', '0.004', '0', ['0.01', '0.01', '0', '0']],
    ['-36.645', '0', '0', ['-36.65', '0', '0', '-36.65']],
    ['-10', '0', '-4', ['-10', '0', '-4', '-6']],
  ])('gross %s, waived %s, credits %s is shown as %p', (gross, waived, credits, expected) => {
    expect(shown(gross, waived, credits)).toEqual(expected);
  });

  it('is rounded to the minor unit of the currency', () => {
    expect(shown('1.5', '0', '0', 'JPY')).toEqual(['2', '0', '0', '2']);
    expect(shown('1.2345', '0', '0', 'KWD')).toEqual(['1.235', '0', '0', '1.235']);
  });

  it('passes its other fields through', () => {
    const [drafted] = draftInvoice([{ ...line('1'), displayName: 'Seats' }], 'USD').lines;
    expect(drafted!.displayName).toBe('Seats');
  });
});

describe('an invoice', () => {
  const totals = (...lines: ReturnType<typeof line>[]) => {
    const draft = draftInvoice(lines, 'USD');
    return [draft.subtotal, draft.totalDiscount, draft.totalCreditsApplied, draft.total, draft.accountCredit].map(text);
  };
  it('adds its lines up', () => {
    expect(totals(line('149'), line('2250', '0', '2000'))).toEqual(['2399', '0', '2000', '399', '0']);
  });
  it('is never below zero: the excess is account credit', () => {
    expect(totals(line('-100'), line('30'))).toEqual(['-70', '0', '0', '0', '70']);
  });
  it('of no lines is zero', () => {
    expect(totals()).toEqual(['0', '0', '0', '0', '0']);
  });
});
