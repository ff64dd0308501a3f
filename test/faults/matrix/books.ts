import type { World } from './world.js';

interface Charge {
  readonly id: string;
  readonly amount: number;
  readonly amount_refunded: number;
  readonly payment_intent: string | null;
  readonly metadata: Record<string, string>;
}

interface Receipt extends Record<string, unknown> {
  readonly gateway_payment_id: string;
  readonly minor: string;
}

/**
 * What is wrong with a run that has come to rest, one line each. The sandbox's journal says what Stripe's world saw:
 * money that moved, whatever our books say. `undisturbed` is what the books say after the same flow without any fault.
 */
export async function faultsFound(world: World, undisturbed: string | null): Promise<string[]> {
  const { data: charges } = await world.control<{ data: Charge[] }>('/charges?status=succeeded');
  const receipts = await world.rows<Receipt>(`
    select r.gateway_payment_id, trim_scale(r.amount * 100)::text minor from payment_receipt r
    join payment p on p.id = r.payment_id where p.method_type <> 'OFFLINE'`);
  const found = [...doubleCharges(charges), ...lostPayments(charges, receipts), ...(await purchases(world))];
  found.push(...(await refunds(world, charges)));
  for (const violation of await world.audit()) found.push(`audit: ${violation}`);
  const books = await booksOf(world);
  if (undisturbed !== null && books !== undisturbed) found.push(`books: ${difference(undisturbed, books)}`);
  return found;
}

/** Two successful charges of one invoice: what must never be. */
export function doubleCharges(charges: readonly Charge[]): string[] {
  const perInvoice = Map.groupBy(charges, ({ metadata }) => metadata['invoice_id'] ?? 'no invoice');
  return [...perInvoice]
    .filter(([invoice, of]) => of.length > 1 || invoice === 'no invoice')
    .map(
      ([invoice, of]) => `double charge: ${invoice} has ${of.map(({ id, amount }) => `${id} of ${amount}`).join(', ')}`,
    );
}

/** Every charge is one receipt of its amount, every receipt one charge. */
function lostPayments(charges: readonly Charge[], receipts: readonly Receipt[]): string[] {
  const booked = new Map(receipts.map((receipt) => [receipt.gateway_payment_id, receipt.minor]));
  const lost = charges
    .filter(({ payment_intent: intent, amount }) => booked.get(intent ?? '') !== String(amount))
    .map(
      ({ id, amount, payment_intent: intent }) =>
        `lost payment: ${id} of ${amount}, booked ${booked.get(intent ?? '')}`,
    );
  const paid = new Set(charges.map(({ payment_intent: intent }) => intent));
  const invented = [...booked.keys()].filter((intent) => !paid.has(intent)).map((intent) => `never paid: ${intent}`);
  return [...lost, ...invented];
}

/** What Stripe gave back of each charge is what our refunds of it say. */
async function refunds(world: World, charges: readonly Charge[]): Promise<string[]> {
  const rows = await world.rows<{ intent: string; minor: string }>(`
    select r.gateway_payment_id intent, trim_scale(sum(f.amount) * 100)::text minor
    from refund f join payment_receipt r on r.id = f.receipt_id where f.state <> 'failed' group by 1`);
  const booked = new Map(rows.map(({ intent, minor }) => [intent, minor]));
  return charges
    .filter(({ payment_intent: intent, amount_refunded: back }) => (booked.get(intent ?? '') ?? '0') !== String(back))
    .map(
      ({ id, amount_refunded: back, payment_intent: i }) =>
        `books: ${id} gave back ${back}, ours say ${booked.get(i ?? '')}`,
    );
}

async function purchases(world: World): Promise<string[]> {
  const rows = await world.rows<{ violation: string }>(`
    select 'top-up: ' || i.id || ' was paid ' || i.amount_paid || ' and brought ' || count(l.id) || ' lots' violation
    from invoice i left join lot l on l.environment_id = i.environment_id and l.business_key = 'invoice:' || i.id
    where i.type = 'CREDIT' group by i.id having count(l.id) <> case when i.paid_at is null then 0 else 1 end`);
  return rows.map(({ violation }) => violation);
}

/** What the books say, without ids and without the instants of payment, which a fault may rightly move. */
export async function booksOf(world: World): Promise<string> {
  const [books] = await world.rows<{ books: Record<string, unknown> }>(`
    select json_build_object(
      'invoices', (select json_agg(x order by x::text) from (
        select type, kind, status, payment_status, trim_scale(total)::text total, trim_scale(amount_paid)::text paid,
               trim_scale(amount_remaining)::text remaining, trim_scale(overpaid_amount)::text overpaid,
               trim_scale(total_credits_applied)::text credits, period_start from invoice) x),
      'subscriptions', (select json_agg(x order by x::text) from (
        select status, current_period_start, current_period_end from subscription) x),
      'lots', (select json_agg(x order by x::text) from (
        select source, trim_scale(granted)::text granted, trim_scale(remaining)::text remaining, expires_at from lot) x),
      'ledger', (select trim_scale(sum(credits))::text from ledger_entry),
      'refunds', (select json_agg(x order by x::text) from (
        select trim_scale(amount)::text amount, trim_scale(credits)::text credits from refund where state <> 'failed') x),
      'wallets', (select json_agg(x order by x::text) from (
        select status, trim_scale(credit_balance)::text balance from wallet) x),
      'purchases', (select json_agg(x order by x::text) from (
        select state, trim_scale(credits)::text credits from credit_purchase) x),
      'receipts', (select json_agg(x order by x::text) from (
        select trim_scale(amount)::text amount, currency from payment_receipt) x),
      'account', (select json_agg(x order by x::text) from (
        select kind, trim_scale(amount)::text amount from account_credit_entry) x),
      'grants', (select json_agg(x order by x::text) from (
        select status, count(*) from credit_grant_application group by status) x)) books`);
  return JSON.stringify(books!.books, null, 1);
}

/** The first lines that differ. */
function difference(expected: string, actual: string): string {
  const [wanted, got] = [expected.split('\n'), actual.split('\n')];
  const missing = wanted.filter((line) => !got.includes(line));
  const added = got.filter((line) => !wanted.includes(line));
  const show = (sign: string, lines: string[]) => lines.slice(0, 6).map((line) => `${sign}${line.trim()}`);
  return [...show('-', missing), ...show('+', added)].join(' ') || 'the same lines, in another order or number';
}
