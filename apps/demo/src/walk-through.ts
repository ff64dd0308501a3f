import { useHostedPage, type Api } from './api.js';
import type { Narrator } from './narrator.js';
import { defineStarter } from './starter-plan.js';

interface Line {
  display_name: string;
  quantity: string;
  amount: string;
  line_item_discount: string;
  prepaid_credits_applied: string;
}

interface Invoice {
  id: string;
  invoice_number: string | null;
  invoice_status: string;
  payment_status: string;
  total_prepaid_credits_applied: string;
  amount_due: string;
  amount_paid: string;
  line_items: Line[];
}

interface Buyer {
  name: string;
  externalId: string;
  customerId: string;
  walletId: string;
}

/** The example Drawdown must serve first, told from the plan's definition to the second paid invoice. */
export class WalkThrough {
  private events = 0;
  private day: (text: string) => string;

  constructor(
    private readonly api: Api,
    private readonly narrator: Narrator,
    /** Keeps this run's names apart from those of earlier runs on the same database. */
    private readonly run: string,
  ) {}

  async tell(): Promise<void> {
    const start = await this.findStart();
    const planId = await this.define();
    await this.advance(start);
    const acme = await this.subscribe('Acme', 'anniversary', planId, {});
    const birch = await this.subscribe('Birch', 'calendar', planId, { proration_behavior: 'create_prorations' });
    await this.useTheTrial(acme);
    await this.saveCard(acme);
    await this.startPaidTime(acme, birch);
    await this.useUpTheCredits(acme);
    await this.billTheSecondMonth(acme, birch);
  }

  /** The story begins on the next 10 January by the environment's clock, which never goes back. */
  private async findStart(): Promise<string> {
    const { now } = await this.api.get<{ now: string }>('/clock');
    const year = Number(now.slice(0, 4)) + (now < `${now.slice(0, 4)}-01-10T09:00:00.000Z` ? 0 : 1);
    this.day = (text) => `${year}-${text}:00Z`;
    return this.day('01-10T09:00');
  }

  private async define(): Promise<string> {
    this.narrator.chapter('The plan');
    const { planId } = await defineStarter((path, body) => this.api.post(path, body), this.run);
    for (const line of [
      'Starter: $149 a month in advance, 14-day trial with 100 credits that expire with it',
      'creating a table costs 10 credits, the first 5 of a period are free',
      'enriching a contact costs 1.5 credits a row',
      'exporting is included; 2,000 credits are renewed every month; 1 credit = $1',
    ]) {
      this.narrator.say(line);
    }
    return planId;
  }

  private async subscribe(name: string, cycle: string, planId: string, options: object): Promise<Buyer> {
    const externalId = `${name.toLowerCase()}-${this.run}`;
    const customer = await this.api.post<{ id: string }>('/customers', { external_id: externalId, name });
    const subscription = await this.api.post<{ subscription_status: string }>('/subscriptions', {
      external_customer_id: externalId,
      plan_id: planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: cycle,
      ...options,
    });
    const [wallet] = await this.api.get<{ id: string }[]>(`/customers/${customer.id}/wallets`);
    const buyer = { name, externalId, customerId: customer.id, walletId: wallet!.id };
    this.narrator.tell(`${name} subscribes (${cycle} billing): ${subscription.subscription_status}`, {
      balance: [await this.balance(buyer), '100'],
    });
    return buyer;
  }

  private async useTheTrial(buyer: Buyer): Promise<void> {
    this.narrator.chapter(`${buyer.name} uses the trial`);
    for (let table = 1; table <= 5; table++)
      await this.report(buyer, 'table_create', { status: 'success' }, '0', '100');
    const rows = await this.report(buyer, 'contact_enrich', { rows: '20' }, '30', '70');
    await this.report(buyer, 'contact_enrich', { rows: '20' }, '0', '70', rows);
    await this.report(buyer, 'table_create', { status: 'success' }, '10', '60');
  }

  private async saveCard(buyer: Buyer): Promise<void> {
    await this.checkout({ mode: 'setup', customer_id: buyer.customerId });
    this.narrator.say(`${buyer.name} saves a card on the hosted page`);
  }

  private async startPaidTime(acme: Buyer, birch: Buyer): Promise<void> {
    await this.advance(this.day('01-24T09:00'));
    this.narrator.tell('The trial is over: Acme has its monthly credits', {
      balance: [await this.balance(acme), '2000'],
    });
    this.narrator.tell('Birch has a share of them up to 1 February', {
      balance: [await this.balance(birch), '491.935483870968'],
    });
    await this.advance(this.day('01-24T10:00'));
    await this.showInvoice(acme, { credits: '40', due: '149', paid: '149' });
    await this.showInvoice(birch, { credits: '0', due: '36.65', paid: '0' });
    await this.payByLink(birch);
  }

  private async useUpTheCredits(buyer: Buyer): Promise<void> {
    this.narrator.chapter(`${buyer.name} uses more than it has`);
    await this.report(buyer, 'contact_enrich', { rows: '1500' }, '2000', '0');
    this.narrator.say('250 credits of that are not covered: they would be billed at the end of the month');
    await this.checkout({ mode: 'top_up', wallet_id: buyer.walletId, credits: '500' });
    this.narrator.tell(`${buyer.name} buys 500 credits on the hosted page: they pay the 250`, {
      balance: [await this.balance(buyer), '250'],
    });
  }

  private async billTheSecondMonth(acme: Buyer, birch: Buyer): Promise<void> {
    await this.advance(this.day('02-01T01:00'));
    await this.showInvoice(birch, { credits: '0', due: '149', paid: '0' });
    await this.payByLink(birch);
    await this.report(birch, 'contact_enrich', { rows: '1500' }, '2000', '0');
    await this.advance(this.day('02-24T10:00'));
    await this.showInvoice(acme, { credits: '2250', due: '149', paid: '149' });
    this.narrator.tell('Acme has 2,000 new credits beside the 250 bought', {
      balance: [await this.balance(acme), '2250'],
    });
    await this.advance(this.day('03-01T01:00'));
    await this.showInvoice(birch, { credits: '2000', due: '399', paid: '0' });
    this.narrator.tell('Birch has 2,000 new credits', { balance: [await this.balance(birch), '2000'] });
  }

  /** Reports usage and checks what it burnt. @returns the event's id. */
  private async report(
    buyer: Buyer,
    name: string,
    properties: Record<string, string>,
    burnt: string,
    left: string,
    eventId?: string,
  ): Promise<string> {
    const answer = await this.api.post<{ event_id: string; status: string; credits_burned: string }>('/events', {
      event_name: name,
      external_customer_id: buyer.externalId,
      event_id: eventId ?? `${buyer.externalId}-${++this.events}`,
      properties,
    });
    const quantity = properties.rows ? `${properties.rows} rows` : '1 table';
    const again = answer.status === 'duplicate' ? ' (the same event again)' : '';
    this.narrator.tell(`${name}: ${quantity}${again}`, {
      burnt: [answer.credits_burned, burnt],
      balance: [await this.balance(buyer), left],
    });
    return answer.event_id;
  }

  private async balance(buyer: Buyer): Promise<string> {
    const wallet = await this.api.get<{ real_time_credit_balance: string }>(
      `/wallets/${buyer.walletId}/balance/real-time`,
    );
    return wallet.real_time_credit_balance;
  }

  private async showInvoice(buyer: Buyer, expected: { credits: string; due: string; paid: string }): Promise<void> {
    const invoice = await this.lastInvoice(buyer);
    this.narrator.chapter(
      `Invoice ${invoice.invoice_number ?? '(draft)'} of ${buyer.name}: ${invoice.invoice_status}, ${invoice.payment_status}`,
    );
    for (const line of invoice.line_items) {
      const discount = Number(line.line_item_discount) === 0 ? '' : `   waived ${line.line_item_discount}`;
      this.narrator.say(
        `${line.display_name.padEnd(24)} quantity ${line.quantity.padEnd(8)} ${line.amount.padStart(9)}   credits applied ${line.prepaid_credits_applied}${discount}`,
      );
    }
    this.narrator.tell('Total', {
      'credits applied': [invoice.total_prepaid_credits_applied, expected.credits],
      due: [invoice.amount_due, expected.due],
      paid: [invoice.amount_paid, expected.paid],
    });
  }

  private async payByLink(buyer: Buyer): Promise<void> {
    const invoice = await this.lastInvoice(buyer);
    await this.checkout({ mode: 'invoice', invoice_id: invoice.id });
    const paid = await this.lastInvoice(buyer);
    this.narrator.tell(`${buyer.name} has no card on file and pays by the link`, {
      paid: [paid.amount_paid, invoice.amount_due],
    });
  }

  private async lastInvoice(buyer: Buyer): Promise<Invoice> {
    const found = await this.api.post<{ items: { id: string }[] }>('/invoices/search', {
      customer_id: buyer.customerId,
      invoice_type: 'SUBSCRIPTION',
      limit: 1,
    });
    return this.api.get(`/invoices/${found.items[0]!.id}`);
  }

  private async checkout(body: object): Promise<void> {
    const session = await this.api.post<{ id: string; url: string }>('/checkout/sessions', {
      ...body,
      success_url: `${this.api.url}/docs`,
      cancel_url: `${this.api.url}/docs`,
    });
    await useHostedPage(session.url);
    await this.api.get(`/checkout/sessions/${session.id}`);
  }

  private async advance(to: string): Promise<void> {
    const { happened } = await this.api.post<{ happened: { event: string }[] }>('/clock/advance', { to });
    this.narrator.chapter(`${to.slice(0, 10)} ${to.slice(11, 16)}`);
    const counts = new Map<string, number>();
    for (const { event } of happened) counts.set(event, (counts.get(event) ?? 0) + 1);
    const summary = [...counts].map(([event, n]) => (n > 1 ? `${event} x ${n}` : event)).join(', ');
    if (summary) this.narrator.say(`happened: ${summary}`);
  }
}
