import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { amounts, Story, type Subscriber } from './story.js';

/**
 * Every number of the walk-through is found from an event's id alone: what it did, the lots it drew, the ledger's
 * entries, what its line item has accrued, the invoice line and the payment. 100, 70, 60, 2000, 2250, 250, 399.
 */
interface Processed {
  qty_total: string;
  price_id: string;
  sub_line_item_id: string;
  period_id: string;
  free_quantity: string;
  amount: string;
  credits: string;
  draws: { lot_id: string; credits: string }[];
  ledger_entry_ids: string[];
  accrual: Record<'quantity' | 'free_quantity' | 'accrued' | 'covered' | 'shortfall' | 'waived' | 'credits', string>;
}
interface Entry {
  id: string;
  wallet_id: string;
  lot_id: string;
  line_item_id: string;
  period_id: string;
  cause_id: string;
  credit_amount: string;
  credit_balance_before: string;
  credit_balance_after: string;
}
interface Trail {
  batch_id: string;
  credits_burned: string;
  processed_events: Processed[];
  ledger_entries: Entry[];
  invoice_lines: {
    invoice_id: string;
    invoice_line_id: string;
    line_item_id: string;
    quantity: string;
    amount: string;
    prepaid_credits_applied: string;
    line_item_discount: string;
    amount_due: string;
    payment_ids: string[];
  }[];
}

let modules: Modules;
let story: Story;
let buyer: Subscriber;
const trailOf = (eventId: string) => story.get<Trail>(`/events/${eventId}`);

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
  await story.defineStarter();
  buyer = await story.subscribe('traced');
});

describe('in the trial', () => {
  it('20 rows: 1.5 each is 30 of the 100 credits, and leaves 70', async () => {
    const { event_id: eventId } = await buyer.send('contact_enrich', { rows: '20' });
    const trail = await trailOf(eventId);
    const [processed] = trail.processed_events;
    const price = await story.get<{ amount: string }>(`/prices/${processed!.price_id}`);
    expect(amounts(processed!.qty_total, price.amount, processed!.amount, trail.credits_burned)).toEqual(
      amounts('20', '1.5', '30', '30'),
    );
    const [entry] = trail.ledger_entries;
    expect(processed!.ledger_entry_ids).toEqual([entry!.id]);
    expect(entry).toMatchObject({
      lot_id: processed!.draws[0]!.lot_id,
      cause_id: trail.batch_id,
      line_item_id: processed!.sub_line_item_id,
      period_id: processed!.period_id,
    });
    expect(amounts(entry!.credit_balance_before, entry!.credit_amount, entry!.credit_balance_after)).toEqual(
      amounts('100', '30', '70'),
    );
    const ledger = await story.get<{ items: Entry[] }>(`/wallets/${entry!.wallet_id}/transactions`);
    const granted = ledger.items.find((one) => one.lot_id === entry!.lot_id && one.id !== entry!.id);
    expect(amounts(granted!.credit_amount)).toEqual(['100']);
  });

  it('the fifth table is free, the sixth costs 10 and leaves 60', async () => {
    const tables = [];
    for (let n = 0; n < 6; n++) tables.push(await buyer.send('table_create', { status: 'success' }));
    const [fifth, sixth] = [await trailOf(tables[4]!.event_id), await trailOf(tables[5]!.event_id)];
    expect(fifth).toMatchObject({ processed_events: [{ free_quantity: '1', amount: '0', draws: [] }] });
    expect(sixth).toMatchObject({ processed_events: [{ free_quantity: '0', amount: '10', credits: '10' }] });
    expect(sixth.processed_events[0]!.accrual).toMatchObject({ quantity: '6', free_quantity: '5', accrued: '10' });
    expect(amounts(sixth.ledger_entries[0]!.credit_balance_after)).toEqual(['60']);
    expect(sixth.invoice_lines).toEqual([]);
  });
});

describe('in the paid month', () => {
  let eventId: string;
  beforeAll(async () => {
    await modules.advanceTo('2026-01-24T10:00:00Z');
    await buyer.pay(await buyer.lastInvoice());
    eventId = (await buyer.send('contact_enrich', { rows: '1500' })).event_id;
  });

  it('1,500 rows are 2,250: 2,000 credits drawn, 250 short', async () => {
    const trail = await trailOf(eventId);
    const [processed] = trail.processed_events;
    expect(amounts(processed!.amount, processed!.credits, trail.credits_burned)).toEqual(
      amounts('2250', '2000', '2000'),
    );
    expect(processed!.accrual).toMatchObject({
      accrued: '2250',
      covered: '2000',
      credits: '2000',
      shortfall: '250',
      waived: '0',
    });
    const [entry] = trail.ledger_entries;
    expect(amounts(entry!.credit_balance_before, entry!.credit_amount, entry!.credit_balance_after)).toEqual(
      amounts('2000', '2000', '0'),
    );
  });

  it('the invoice line shows the same, and with the fee 399 were paid', async () => {
    await modules.advanceTo('2026-02-24T10:00:00Z');
    await buyer.pay(await buyer.lastInvoice());
    const {
      invoice_lines: lines,
      processed_events: [processed],
    } = await trailOf(eventId);
    expect(lines).toHaveLength(1);
    const [line] = lines;
    expect(line).toMatchObject({
      line_item_id: processed!.sub_line_item_id,
      quantity: '1500',
      amount: '2250',
      prepaid_credits_applied: '2000',
      line_item_discount: '0',
      amount_due: '250',
    });
    const invoice = await story.get<{ amount_due: string; line_items: { id: string; amount_due: string }[] }>(
      `/invoices/${line!.invoice_id}`,
    );
    expect(invoice.line_items.find(({ id }) => id === line!.invoice_line_id)).toMatchObject({ amount_due: '250' });
    expect(amounts(...invoice.line_items.map((one) => one.amount_due)).toSorted()).toEqual(['149', '250']);
    const payments = await Promise.all(
      line!.payment_ids.map((id) => story.get<{ payment_status: string; amount: string }>(`/payments/${id}`)),
    );
    const paid = payments.filter((payment) => payment.payment_status === 'SUCCEEDED');
    expect(amounts(invoice.amount_due, ...paid.map((payment) => payment.amount))).toEqual(amounts('399', '399'));
  });

  it('the rows of the trial stand on the invoice at its end, due nothing', async () => {
    const { invoice_lines: lines } = await trailOf('traced-1');
    expect(lines).toMatchObject([{ quantity: '20', amount: '30', prepaid_credits_applied: '30', amount_due: '0' }]);
  });
});
