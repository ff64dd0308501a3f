import type { TDocumentDefinitions } from 'pdfmake/interfaces.js';
import { addressLines, quantityText, spanText, written } from './invoice-document-text.js';
import { invoiceDocument, stateOf, type InvoicePaper } from './invoice-document.js';
import type { InvoiceView } from './invoices.dto.js';
import { renderPdf } from './pdf-renderer.js';

const line = (more: object) => ({
  display_name: 'Contacts enriched',
  plan_display_name: 'Starter',
  line_item_id: 'rows',
  currency: 'usd',
  period_start: '2026-01-24T09:00:00.000Z',
  period_end: '2026-02-24T09:00:00.000Z',
  quantity: '1500',
  free_units: '0',
  amount: '2250',
  line_item_discount: '0',
  prepaid_credits_applied: '2000',
  amount_due: '250',
  ...more,
});

const FEE = line({
  display_name: 'Platform',
  line_item_id: 'fee',
  quantity: '1',
  amount: '149',
  prepaid_credits_applied: '0',
  amount_due: '149',
});

const CUSTOMER = {
  name: 'Müller €',
  external_id: 'mueller',
  email: 'ap@mueller.example',
  timezone: 'UTC',
  address_line1: 'Hauptstraße 5',
  address_line2: null,
  address_city: 'Köln',
  address_state: null,
  address_postal_code: '50667',
  address_country: 'DE',
};

const view = (more: object = {}): InvoiceView =>
  ({
    invoice_status: 'FINALIZED',
    payment_status: 'PENDING',
    invoice_number: 'INV-202602-00001',
    currency: 'usd',
    description: null,
    subtotal: '2399',
    total_discount: '0',
    total_prepaid_credits_applied: '2000',
    total: '399',
    amount_paid: '0',
    overpaid_amount: '0',
    adjustment_amount: '0',
    account_credit_given: '0',
    carried_amount: '0',
    amount_remaining: '399',
    finalized_at: '2026-02-24T10:00:00.000Z',
    due_date: '2026-03-03T10:00:00.000Z',
    paid_at: null,
    voided_at: null,
    period_start: '2026-02-24T09:00:00.000Z',
    period_end: '2026-03-24T09:00:00.000Z',
    customer: CUSTOMER,
    line_items: [FEE, line({})],
    ...more,
  }) as unknown as InvoiceView;

const paper = (more: object = {}): InvoicePaper => ({
  invoice: view(more),
  seller: { name: 'Seller Inc', lines: ['1 Market Street'] },
  unitPrices: new Map([
    ['fee', '$149.00'],
    ['rows', '$1.50'],
  ]),
  now: new Date('2026-02-25T00:00:00Z'),
});

/** Every text of a document in reading order. */
function texts(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  if (Array.isArray(part)) {
    return part.every(isRun) && part.length > 0 ? [part.map(({ text }) => text).join('')] : part.flatMap(texts);
  }
  if (typeof part !== 'object' || part === null) return [];
  const { text, stack, columns, table, content } = part as Record<string, unknown>;
  return [text, stack, columns, (table as { body?: unknown } | undefined)?.body, content].flatMap(texts);
}
const isRun = (one: unknown): one is { text: string } => typeof (one as { font?: unknown } | null)?.font === 'string';

const printed = (more: object = {}) => texts(invoiceDocument(paper(more)));
const watermark = (document: TDocumentDefinitions) =>
  (document.watermark as { text: string } | undefined)?.text ?? null;

describe('the printed invoice', () => {
  it('says who sells, who buys, the number and the dates', () => {
    for (const said of [
      'Seller Inc',
      '1 Market Street',
      'Müller €',
      'Hauptstraße 5',
      '50667 Köln',
      'Germany',
      'ap@mueller.example',
      'INV-202602-00001',
      '24 Feb 2026',
      '3 Mar 2026',
      '24 Feb 2026 – 24 Mar 2026',
    ]) {
      expect(printed()).toContain(said);
    }
  });

  it('says of each line what it is made of, and what it comes to', () => {
    const said = printed();
    const row = said.slice(said.indexOf('Contacts enriched'));
    expect(row.slice(0, 8)).toEqual([
      'Contacts enriched',
      'Starter',
      '24 Jan 2026 – 24 Feb 2026',
      '1,500',
      '$1.50',
      '$2,250.00',
      '-$2,000.00',
      '$250.00',
    ]);
    expect(said.slice(said.indexOf('Subtotal'))).toEqual([
      'Subtotal',
      '$2,399.00',
      'Paid with credits',
      '-$2,000.00',
      'Total',
      '$399.00',
      'Amount due',
      '$399.00',
    ]);
  });

  it('has columns for free units and waivers only where a line has some', () => {
    expect(printed()).not.toContain('Free');
    expect(printed()).not.toContain('Waived');
    const trial = printed({ line_items: [line({ free_units: '5', line_item_discount: '7' })] });
    expect(trial).toEqual(expect.arrayContaining(['Free', '5', 'Waived', '-$7.00']));
  });

  it('says what was paid, and what account credit did', () => {
    const paid = printed({
      payment_status: 'SUCCEEDED',
      amount_paid: '300',
      adjustment_amount: '99',
      amount_remaining: '0',
    });
    expect(paid).toEqual(expect.arrayContaining(['Paid with account credit', '-$99.00', 'Paid', '-$300.00', '$0.00']));
  });

  it('prices a line of no subscription by its unit, if that is exact', () => {
    const by = (quantity: string) => printed({ line_items: [line({ line_item_id: null, quantity, amount: '100' })] });
    expect(by('8')).toContain('$12.50');
    expect(by('3')).toContain('–');
  });

  it.each([
    ['a draft', { invoice_status: 'DRAFT', invoice_number: null }, 'DRAFT'],
    ['a withdrawn one', { invoice_status: 'VOIDED' }, 'VOID'],
    ['an open one', {}, null],
  ])('%s is marked as such', (_, more, mark) => expect(watermark(invoiceDocument(paper(more)))).toBe(mark));

  it('numbers its pages', () => {
    const { footer } = invoiceDocument(paper());
    expect(texts((footer as (page: number, pages: number) => unknown)(2, 3))).toContain('Page 2 of 3');
  });

  it('is drawn whatever alphabet, length or amount stands in it', async () => {
    const hostile = view({
      customer: { ...CUSTOMER, name: `${'x'.repeat(255)} 東京 🙂 שלום \u0000\ud800` },
      line_items: Array.from({ length: 40 }, () => line({ amount: '99999999999999999999999999.99' })),
    });
    const pdf = await renderPdf(invoiceDocument({ ...paper(), invoice: hostile }));
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
  });
});

it.each<[string, object]>([
  ['Draft', { invoice_status: 'DRAFT' }],
  ['Void', { invoice_status: 'VOIDED' }],
  ['Open', {}],
  ['Partly paid', { amount_paid: '1' }],
  ['Overdue', { due_date: '2026-02-25T00:00:00.000Z' }],
  ['Paid', { payment_status: 'SUCCEEDED', amount_paid: '399' }],
  ['Overpaid', { payment_status: 'OVERPAID' }],
])('is %s', (state, more) => expect(stateOf(view(more), paper().now)).toBe(state));

describe('text on paper', () => {
  it('is set in the font that has its alphabet', () => {
    expect(written('Ωmega Յան x')).toEqual([
      { text: 'Ωmega ', font: 'Roboto' },
      { text: 'Յան', font: 'DejaVu' },
      { text: ' x', font: 'Roboto' },
    ]);
    expect(written('a\u0000\nb')).toEqual([{ text: 'a b', font: 'Roboto' }]);
  });

  it('names the last day of a period, on the calendar of the zone', () => {
    expect(spanText('2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', 'UTC')).toBe('1 Feb 2026 – 28 Feb 2026');
    expect(spanText('2026-02-01T05:00:00Z', '2026-03-01T05:00:00Z', 'America/New_York')).toBe(
      '1 Feb 2026 – 28 Feb 2026',
    );
    expect(spanText('2026-02-01T00:00:00Z', '2026-02-01T00:00:00Z', 'UTC')).toBe('1 Feb 2026 – 1 Feb 2026');
  });

  it('keeps every digit of a quantity', () => {
    expect(quantityText('1234567.123456789012')).toBe('1,234,567.123456789012');
  });

  it('leaves out what an address does not have, and an unknown country as it is', () => {
    const nothing = { address_line1: null, address_line2: null, address_city: null, address_state: null };
    expect(addressLines({ ...nothing, address_postal_code: null, address_country: null })).toEqual([]);
    expect(addressLines({ ...nothing, address_postal_code: null, address_country: '1' })).toEqual(['1']);
  });
});
