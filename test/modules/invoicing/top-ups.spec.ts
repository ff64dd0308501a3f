import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { InvoicingWorld } from './invoicing-world.js';

interface ToppedUp {
  wallet: Record<string, string>;
  wallet_transaction: Record<string, string> | null;
  invoice_id: string | null;
}

let world: InvoicingWorld;
const send = (wallet: string, body: object) => world.modules.api.post(`/wallets/${wallet}/top-up`, body);
const topUp = (wallet: string, body: object) => world.ok<ToppedUp>(send(wallet, body));

beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('a top-up', () => {
  it('gives free credits at once', async () => {
    const wallet = await world.wallet(await world.customer());
    const given = await topUp(wallet, {
      transaction_reason: 'FREE_CREDIT_GRANT',
      credits_to_add: 50,
      expiry_date_utc: '2026-02-01T00:00:00Z',
      priority: 3,
    });
    expect(given).toMatchObject({
      invoice_id: null,
      wallet: { credit_balance: '50' },
      wallet_transaction: {
        transaction_reason: 'FREE_CREDIT_GRANT',
        credit_amount: '50',
        expiry_date: '2026-02-01T00:00:00.000Z',
        priority: 3,
      },
    });
    expect(await world.balance(wallet)).toMatchObject({ credits_available_breakdown: { free: '50', purchased: '0' } });
  });

  it('books credits that were paid outside at once, priced by the purchase rate', async () => {
    const wallet = await world.wallet(await world.customer());
    const bought = await topUp(wallet, { transaction_reason: 'PURCHASED_CREDIT_DIRECT', amount: '100' });
    expect(bought).toMatchObject({ invoice_id: null, wallet_transaction: { credit_amount: '200' } });
    expect(await world.balance(wallet)).toMatchObject({ credits_available_breakdown: { free: '0', purchased: '200' } });
  });

  it('makes an invoice whose payment brings the credits, by a saved card right away', async () => {
    const customer = await world.customer({ card: true });
    const wallet = await world.wallet(customer);
    const ordered = await topUp(wallet, { transaction_reason: 'PURCHASED_CREDIT_INVOICED', credits_to_add: '200' });
    expect(ordered).toMatchObject({ wallet_transaction: null, wallet: { credit_balance: '0' } });
    await world.settled();
    expect(await world.read(ordered.invoice_id!)).toMatchObject({ payment_status: 'SUCCEEDED', amount_paid: '100' });
    expect(await world.balance(wallet)).toMatchObject({ real_time_credit_balance: '200' });
  });

  it('stays open without a card, and can be paid on a page', async () => {
    const wallet = await world.wallet(await world.customer());
    const ordered = await topUp(wallet, { transaction_reason: 'PURCHASED_CREDIT_INVOICED', credits_to_add: '200' });
    await world.settled();
    expect(await world.read(ordered.invoice_id!)).toMatchObject({ payment_status: 'PENDING', amount_remaining: '100' });
    const page = await world.ok<{ id: string }>(
      world.openPage({ mode: 'invoice', invoice_id: ordered.invoice_id }),
      201,
    );
    await world.pageTold(page.id, 'expired');
    expect(await world.read(ordered.invoice_id!)).toMatchObject({ invoice_status: 'FINALIZED' });
    const another = await world.ok<{ id: string }>(
      world.openPage({ mode: 'invoice', invoice_id: ordered.invoice_id }),
      201,
    );
    await world.pageTold(another.id, 'paid', '100');
    expect(await world.balance(wallet)).toMatchObject({ real_time_credit_balance: '200' });
  });

  it('whose wallet is closed before it is paid is withdrawn: no card is charged for credits that can not come', async () => {
    const customer = await world.customer();
    const wallet = await world.wallet(customer);
    const order = { transaction_reason: 'PURCHASED_CREDIT_INVOICED', credits_to_add: '200' };
    const { invoice_id: invoice } = await topUp(wallet, order);
    const { invoice_id: onPage } = await topUp(wallet, order);
    await world.settled();
    const page = await world.ok<{ id: string }>(world.openPage({ mode: 'invoice', invoice_id: onPage }), 201);
    await world.ok(world.modules.api.post(`/wallets/${wallet}/terminate`));
    expect(await world.read(invoice!)).toMatchObject({ invoice_status: 'VOIDED' });
    expect(await world.read(onPage!)).toMatchObject({ invoice_status: 'FINALIZED' });
    await world.saveCard(customer);
    const byHand = await world.modules.api.post(`/invoices/${onPage}/payment/attempt`);
    expect([byHand.status, byHand.body.details.state]).toEqual([409, 'wallet_closed']);
    expect(world.gateway.closed).toHaveLength(1);
    await world.pageTold(page.id, 'expired');
    expect(await world.read(onPage!)).toMatchObject({ invoice_status: 'VOIDED' });
    const charged = world.gateway.charged.filter(({ invoiceId }) => invoiceId === invoice || invoiceId === onPage);
    expect(charged).toEqual([]);
  });

  it.each(['FREE_CREDIT_GRANT', 'PURCHASED_CREDIT_DIRECT', 'PURCHASED_CREDIT_INVOICED'])(
    '%s brings its credits once per idempotency_key, and refuses the key for others',
    async (transaction_reason) => {
      const wallet = await world.wallet(await world.customer());
      const body = { transaction_reason, credits_to_add: '100', idempotency_key: 'once' };
      const [first, again] = [await topUp(wallet, body), await topUp(wallet, body)];
      expect([again.invoice_id, again.wallet_transaction?.['id']]).toEqual([
        first.invoice_id,
        first.wallet_transaction?.['id'],
      ]);
      expect((await send(wallet, { ...body, credits_to_add: '101' })).status).toBe(409);
      const made = await world.rows(sql`
        select from invoice i join wallet w on w.customer_id = i.customer_id where w.id = ${wallet}
        union all select from lot where wallet_id = ${wallet}`);
      expect(made).toHaveLength(1);
    },
  );

  it.each([
    [{ transaction_reason: 'FREE_CREDIT_GRANT' }, 'credits_to_add'],
    [{ transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: '-1' }, 'credits_to_add'],
    [{ transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: 'NaN' }, 'credits_to_add'],
    [{ transaction_reason: 'CREDIT_NOTE', credits_to_add: '1' }, 'transaction_reason'],
    [
      { transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: '1', expiry_date_utc: '2026-01-10T09:00:00Z' },
      'expiry_date_utc',
    ],
    [{ transaction_reason: 'PURCHASED_CREDIT_INVOICED', credits_to_add: '0.001' }, 'credits'],
    [{ transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: '1', surprise: true }, 'surprise'],
  ])('%j is refused by the name of %s, and nothing is stored', async (body, field) => {
    const wallet = await world.wallet(await world.customer());
    const refused = await send(wallet, body);
    expect([refused.status, refused.body.details.field]).toEqual([400, field]);
    expect(await world.balance(wallet)).toMatchObject({ credit_balance: '0', unpaid_invoices_amount: '0' });
  });
});
