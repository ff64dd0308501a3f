import { Decimal, displayAmount, text } from '@drawdown/billing-core';
import type { Content, TableCell, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import { addressLines, dayOf, quantityText, spanText, written } from './invoice-document-text.js';
import type { InvoiceLineView } from './invoice-line.dto.js';
import type { InvoiceView } from './invoices.dto.js';

/** Who sells, as printed: a name and the lines below it. */
export interface Party {
  readonly name: string;
  readonly lines: readonly string[];
}

export interface InvoicePaper {
  readonly invoice: InvoiceView;
  readonly seller: Party;
  /** By line item: the price of one unit for people, such as `$0.50`; others show none. */
  readonly unitPrices: ReadonlyMap<string, string>;
  /** The environment's time: whether an open invoice is overdue. */
  readonly now: Date;
}

const INK = '#1c2430';
const MUTED = '#69727f';
const HAIR = '#d9dee5';
const SHADE = '#f4f6f9';
const MARGIN = 48;

/** The printed invoice as a pdfmake document. Pure: the same paper is the same document. */
export function invoiceDocument(paper: InvoicePaper): TDocumentDefinitions {
  const { invoice, seller } = paper;
  const mark = watermarkOf(invoice);
  return {
    pageSize: 'A4',
    pageMargins: [MARGIN, MARGIN, MARGIN, 64],
    info: { title: titleOf(invoice), author: seller.name, ...issuedAt(invoice) },
    defaultStyle: { font: 'Roboto', fontSize: 9, color: INK, lineHeight: 1.25 },
    ...(mark ? { watermark: { text: mark, color: MUTED, opacity: 0.12, bold: true } } : {}),
    footer: (page: number, pages: number) => footer(paper, page, pages),
    content: [
      heading(paper),
      parties(paper),
      callOut(paper),
      linesTable(paper),
      totals(invoice),
      ...(invoice.description ? [note(invoice.description)] : []),
    ],
  };
}

/** What of an invoice's payment a reader has to know, in a word. */
export function stateOf({ invoice_status, payment_status, due_date, amount_paid }: InvoiceView, now: Date): string {
  if (invoice_status === 'DRAFT') return 'Draft';
  if (invoice_status === 'VOIDED') return 'Void';
  if (payment_status === 'OVERPAID') return 'Overpaid';
  if (payment_status === 'SUCCEEDED') return 'Paid';
  if (due_date && new Date(due_date) <= now) return 'Overdue';
  return new Decimal(amount_paid).gt(0) ? 'Partly paid' : 'Open';
}

const watermarkOf = ({ invoice_status }: InvoiceView): string | null =>
  ({ DRAFT: 'DRAFT', VOIDED: 'VOID' })[invoice_status] ?? null;

const titleOf = ({ invoice_number }: InvoiceView): string =>
  invoice_number ? `Invoice ${invoice_number}` : 'Draft of an invoice';

const issuedAt = ({ finalized_at }: InvoiceView) =>
  finalized_at ? { creationDate: new Date(finalized_at), modDate: new Date(finalized_at) } : {};

function heading({ invoice, seller }: InvoicePaper): Content {
  return {
    columns: [
      { width: '*', stack: [{ text: 'Invoice', fontSize: 24, bold: true, lineHeight: 1.1 }, muted(numberOf(invoice))] },
      { width: 220, alignment: 'right', stack: party(seller) },
    ],
    columnGap: 24,
    margin: [0, 0, 0, 28],
  };
}

const numberOf = ({ invoice_number }: InvoiceView): string => invoice_number ?? 'not numbered: a draft';

function parties(paper: InvoicePaper): Content {
  const { invoice } = paper;
  return {
    columns: [
      { width: '*', stack: [label('Billed to'), ...party(buyerOf(invoice))] },
      {
        width: 220,
        layout: 'noBorders',
        table: {
          widths: ['*', 'auto'],
          body: facts(paper).map(([name, value]) => [
            { text: name, color: MUTED },
            { text: value, alignment: 'right' },
          ]),
        },
      },
    ],
    columnGap: 24,
    margin: [0, 0, 0, 24],
  };
}

function facts({ invoice, now }: InvoicePaper): [string, string][] {
  const zone = zoneOf(invoice);
  const day = (at: string | null) => at && dayOf(at, zone);
  const period = invoice.period_start && invoice.period_end;
  const known: [string, string | null][] = [
    ['Invoice number', invoice.invoice_number],
    ['Issued', day(invoice.finalized_at)],
    ['Due', day(invoice.due_date)],
    ['Period', period ? spanText(invoice.period_start!, invoice.period_end!, zone) : null],
    ['Status', stateOf(invoice, now)],
    ['Paid on', day(invoice.paid_at)],
    ['Voided on', day(invoice.voided_at)],
  ];
  return known.filter((fact): fact is [string, string] => Boolean(fact[1]));
}

function callOut({ invoice, now }: InvoicePaper): Content {
  const state = stateOf(invoice, now);
  const open = state === 'Open' || state === 'Overdue' || state === 'Partly paid';
  const amount = money(open ? invoice.amount_remaining! : invoice.total!, invoice.currency);
  const by = invoice.due_date ? ` due ${dayOf(invoice.due_date, zoneOf(invoice))}` : ' due';
  const link = open ? invoice.payment_url : null;
  const told = open ? `${amount}${by}` : `${amount} · ${state.toLowerCase()}`;
  return {
    layout: 'noBorders',
    table: {
      widths: ['*'],
      body: [
        [{ text: told, fontSize: 15, bold: true, fillColor: SHADE, margin: [12, 9, 12, 7] }],
        ...(link ? [payOnline(link)] : []),
      ],
    },
    margin: [0, 0, 0, 24],
  };
}

const payOnline = (link: string): Content[] => [
  { text: `Pay online: ${link}`, link, fillColor: SHADE, color: MUTED, fontSize: 8, margin: [12, 0, 12, 9] },
];

/** A column of the lines; those with `when` stand there only if one line needs them. */
interface Column {
  readonly name: string;
  readonly cell: (line: InvoiceLineView, paper: InvoicePaper) => string;
  readonly when?: (line: InvoiceLineView) => boolean;
}

const COLUMNS: readonly Column[] = [
  { name: 'Quantity', cell: ({ quantity }) => quantityText(quantity) },
  {
    name: 'Free',
    cell: ({ free_units }) => orDash(free_units, quantityText(free_units)),
    when: ({ free_units }) => !isZero(free_units),
  },
  { name: 'Unit price', cell: unitPrice },
  { name: 'Amount', cell: ({ amount, currency }) => money(amount, currency) },
  {
    name: 'Waived',
    cell: ({ line_item_discount: waived, currency }) => orDash(waived, money(negative(waived), currency)),
    when: ({ line_item_discount }) => !isZero(line_item_discount),
  },
  {
    name: 'Credits',
    cell: ({ prepaid_credits_applied: credits, currency }) => orDash(credits, money(negative(credits), currency)),
    when: ({ prepaid_credits_applied }) => !isZero(prepaid_credits_applied),
  },
  { name: 'Due', cell: ({ amount_due, currency }) => money(amount_due, currency) },
];

function linesTable(paper: InvoicePaper): Content {
  const lines = paper.invoice.line_items ?? [];
  const columns = COLUMNS.filter(({ when }) => !when || lines.some(when));
  const header: TableCell[] = [
    { text: 'Description', color: MUTED },
    ...columns.map(({ name }) => ({ text: name, color: MUTED, alignment: 'right' as const, noWrap: true })),
  ];
  const body = lines.map((line): TableCell[] => [
    describe(line, zoneOf(paper.invoice)),
    ...columns.map(({ cell }) => ({ text: cell(line, paper), alignment: 'right' as const, noWrap: true })),
  ]);
  return {
    fontSize: linesFontSize(columns, paper),
    table: { headerRows: 1, dontBreakRows: true, widths: ['*', ...columns.map(() => 'auto')], body: [header, ...body] },
    layout: RULED,
  };
}

/** Amounts never wrap: very long ones are set smaller so that the description keeps its room. */
function linesFontSize(columns: readonly Column[], paper: InvoicePaper): number {
  const lines = paper.invoice.line_items ?? [];
  const longest = columns.map(({ name, cell }) =>
    Math.max(name.length, ...lines.map((line) => cell(line, paper).length)),
  );
  const characters = longest.reduce((all, one) => all + one, 0);
  if (characters <= 60) return 9;
  return characters <= 80 ? 7 : 5.5;
}

/** A hair line under every row, a stronger one under the head. */
const RULED = {
  hLineWidth: (row: number) => (row === 0 ? 0 : 0.75),
  hLineColor: (row: number) => (row === 1 ? MUTED : HAIR),
  vLineWidth: () => 0,
  paddingLeft: (column: number) => (column === 0 ? 0 : 7),
  paddingRight: (column: number, node: { table: { widths?: unknown } }) =>
    column === (node.table.widths as unknown[]).length - 1 ? 0 : 7,
  paddingTop: () => 6,
  paddingBottom: () => 5,
};

function describe(line: InvoiceLineView, zone: string): TableCell {
  const span = line.period_start && line.period_end ? spanText(line.period_start, line.period_end, zone) : null;
  const plan = line.plan_display_name === line.display_name ? null : line.plan_display_name;
  const below = [plan, span].filter((part): part is string => Boolean(part));
  return {
    stack: [
      { ...breaking(line.display_name), bold: true },
      ...below.map((part): Content => ({ ...breaking(part), color: MUTED, fontSize: 8 })),
    ],
  };
}

/** A flat price of one unit; for a line without a subscription's price what one unit came to, if that is exact. */
function unitPrice(line: InvoiceLineView, { unitPrices }: InvoicePaper): string {
  const itemId = line.commitment_info ? null : line.line_item_id;
  const known = unitPrices.get(itemId ?? '');
  if (known) return known;
  const [amount, quantity] = [new Decimal(line.amount), new Decimal(line.quantity)];
  if (itemId || quantity.isZero()) return '–';
  const each = amount.div(quantity);
  return each.decimalPlaces() <= 12 ? money(text(each), line.currency) : '–';
}

function totals(invoice: InvoiceView): Content {
  const { currency } = invoice;
  const rows: [string, string, 'plain' | 'strong'][] = [
    ['Subtotal', invoice.subtotal!, 'plain'],
    ...optional('Waived', negative(invoice.total_discount!)),
    ...optional('Paid with credits', negative(invoice.total_prepaid_credits_applied!)),
    ...optional('Kept as account credit', invoice.account_credit_given ?? '0'),
    ['Total', invoice.total!, 'strong'],
    ...optional('Paid with account credit', negative(invoice.adjustment_amount)),
    ...optional(carriedName(invoice), negative(invoice.carried_amount)),
    ...optional('Paid', negative(received(invoice))),
    ...optional('Overpaid', invoice.overpaid_amount),
    ['Amount due', invoice.invoice_status === 'VOIDED' ? '0' : invoice.amount_remaining!, 'strong'],
  ];
  return {
    unbreakable: true,
    columns: [
      { width: '*', text: '' },
      {
        width: 230,
        table: {
          widths: ['*', 'auto'],
          body: rows.map(([name, amount, weight]) => [
            { text: name, bold: weight === 'strong', ...(weight === 'plain' ? { color: MUTED } : {}) },
            { text: money(amount, currency), bold: weight === 'strong', alignment: 'right', noWrap: true },
          ]),
        },
        layout: {
          ...RULED,
          hLineWidth: (row: number) => (row > 0 && rows[row]?.[2] === 'strong' ? 0.75 : 0),
          hLineColor: () => HAIR,
          paddingTop: () => 4,
          paddingBottom: () => 3,
        },
      },
    ],
    margin: [0, 12, 0, 0],
  };
}

const optional = (name: string, amount: string): [string, string, 'plain'][] =>
  isZero(amount) ? [] : [[name, amount, 'plain']];

const carriedName = ({ carried_amount }: InvoiceView): string =>
  carried_amount.startsWith('-') ? 'From earlier invoices' : 'Put off to the next invoice';

const received = ({ amount_paid, overpaid_amount }: InvoiceView): string =>
  text(new Decimal(amount_paid).plus(overpaid_amount));

function footer({ invoice, seller }: InvoicePaper, page: number, pages: number): Content {
  return {
    margin: [MARGIN, 20, MARGIN, 0],
    fontSize: 8,
    columns: [
      { width: '*', text: [...written(`${seller.name} · ${numberOf(invoice)}`)], color: MUTED },
      {
        width: 'auto',
        text: `Amounts in ${invoice.currency.toUpperCase()} · dates in ${zoneOf(invoice)}`,
        color: MUTED,
      },
      { width: 80, text: `Page ${page} of ${pages}`, alignment: 'right', color: MUTED },
    ],
  };
}

const party = ({ name, lines }: Party): Content[] => [
  { ...breaking(name), bold: true, fontSize: 10 },
  ...lines.map((line): Content => ({ ...breaking(line), color: MUTED })),
];

/** The customer: by name, else by the id the seller knows it by. */
function buyerOf({ customer }: InvoiceView): Party {
  if (!customer) return { name: '', lines: [] };
  const lines = [...addressLines(customer), ...(customer.email ? [customer.email] : [])];
  return { name: customer.name ?? customer.external_id, lines };
}

const zoneOf = ({ customer }: InvoiceView): string => customer?.timezone ?? 'UTC';
const label = (name: string): Content => ({ text: name, color: MUTED, margin: [0, 0, 0, 3] });
const muted = (value: string): Content => ({ text: value, color: MUTED, fontSize: 10 });
/** Between words; inside one only if it is too long for a line. */
const breaking = (value: string) => ({
  text: written(value),
  ...(/\S{30}/u.test(value) ? { wordBreak: 'break-all' as const } : {}),
});
const note = (value: string): Content => ({ ...breaking(value), color: MUTED, margin: [0, 28, 0, 0] });
const isZero = (amount: string): boolean => new Decimal(amount).isZero();
const negative = (amount: string): string => text(new Decimal(amount).neg());
const orDash = (amount: string, shown: string): string => (isZero(amount) ? '–' : shown);
const money = (amount: string, currency: string): string => displayAmount(new Decimal(amount), currency);
