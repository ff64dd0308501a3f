import fc from 'fast-check';
import { roundMoney } from './currency.js';
import { Decimal, sum } from './decimal.js';
import { draftInvoice } from './invoice-draft.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const amount = fc.bigInt({ min: 0n, max: 10n ** 16n }).map((n) => new Decimal(n.toString()).div('1e12'));
/** What is waived and covered never exceeds what a line costs; a correction is a line with the sign turned. */
const line = fc
  .record({ gross: amount, waived: amount, credits: amount, sign: fc.constantFrom(1, 1, 1, -1) })
  .map(({ gross, waived, credits, sign }) => {
    const off = Decimal.min(waived, gross);
    const paid = Decimal.min(credits, gross.minus(off));
    return { key: 'line', gross: gross.times(sign), waived: off.times(sign), credits: paid.times(sign) };
  });

it('an invoice is the sum of its lines, in whole minor units, and due = gross - waived - credits', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 10 }), fc.constantFrom('USD', 'JPY', 'KWD'), (lines, currency) => {
      const draft = draftInvoice(lines, currency);
      const right = draft.lines.map((drafted, place) => {
        const { gross, waived, credits } = lines[place]!;
        return [
          drafted.gross.eq(roundMoney(gross, currency)),
          drafted.due.eq(roundMoney(gross.minus(waived).minus(credits), currency)),
          drafted.due.eq(drafted.gross.minus(drafted.waived).minus(drafted.credits)),
          [drafted.waived, drafted.credits].every((part) => part.isZero() || part.s === gross.s),
        ];
      });
      expect(right.flat().every(Boolean) || right).toBe(true);
      expect(draft.total.minus(draft.accountCredit).eq(sum(draft.lines.map((one) => one.due)))).toBe(true);
      const off = draft.totalDiscount.plus(draft.totalCreditsApplied);
      expect(draft.subtotal.minus(off).eq(draft.total.minus(draft.accountCredit))).toBe(true);
      expect(draft.total.gte(0) && draft.accountCredit.gte(0)).toBe(true);
    }),
    RUNS,
  );
});
