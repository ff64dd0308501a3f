import { invoiceMonth, invoiceNumber } from './invoice-number.js';

it('an invoice number names the month of finalization (UTC) and its counter', () => {
  expect(invoiceNumber(new Date('2026-01-24T10:00:00Z'), 1)).toBe('INV-202601-00001');
  expect(invoiceNumber(new Date('2026-02-01T01:00:00+02:00'), 42)).toBe('INV-202601-00042');
  expect(invoiceNumber(new Date('2026-12-01T00:00:00Z'), 123456)).toBe('INV-202612-123456');
  expect(invoiceMonth(new Date('2026-12-31T23:59:59.999Z'))).toBe('202612');
});

it.each([0, -1, 1.5, Number.NaN])('a counter of %p is refused', (counter) => {
  expect(() => invoiceNumber(new Date(0), counter)).toThrow(RangeError);
});
