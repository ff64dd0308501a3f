import { beforeAll, describe, expect, it } from '@jest/globals';
import { Outbox } from '@drawdown/platform';
import { sql } from 'kysely';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type Subscriber } from './story.js';

/** Attaches, and is declined whenever it is charged. */
const DECLINED = '4000000000000341';
/** Asks for its holder's authentication, every time. */
const AUTHENTICATED = '4000002760003184';
const GOOD = '4242424242424242';

let modules: Modules;
let story: Story;
const subscribe = async (name: string, card: string | null, options: object = {}): Promise<Subscriber> => {
  const { id } = await story.post<{ id: string }>('/customers', { external_id: name, name });
  if (card) await story.saveCardOf(id, card);
  return settled(await story.subscribeCustomer(name, id, options));
};
const settled = async <T>(what: T): Promise<T> => {
  await modules.get(Outbox).drain(modules.scope);
  return what;
};
const advance = (day: string) => modules.advanceTo(`2026-01-${day}T09:00:00Z`);
const statusOf = async (buyer: Subscriber) => (await buyer.subscription()).subscription_status;

/** What happened to the subscription's money, by the day of January. */
async function diary(buyer: Subscriber): Promise<string[]> {
  const found = await modules.run((tx) =>
    sql<{ told: string }>`
      select to_char(at at time zone 'utc', 'DD ') || name told from outbox_event
      where payload ->> 'subscription_id' = ${buyer.subscriptionId}
        and (payload ? 'invoice_id' or name in ('subscription.past_due', 'subscription.recovered', 'subscription.paused',
                                                'subscription.resumed', 'subscription.cancelled'))
      order by seq`.execute(tx.db),
  );
  return found.rows.map(({ told }) => told);
}

const charges = async (buyer: Subscriber): Promise<number> => {
  const invoice = (await buyer.invoices())[0]!;
  const found = await modules.run((tx) =>
    sql<{ n: number }>`select count(*)::int n from payment_attempt where invoice_id = ${invoice.id}`.execute(tx.db),
  );
  return found.rows[0]!.n;
};

describe('an invoice that is not paid', () => {
  let declined: Subscriber;
  let cardless: Subscriber;
  let sent: Subscriber;
  let authenticated: Subscriber;

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    story = new Story(modules);
    await story.defineStarter(0);
    declined = await subscribe('declined', DECLINED);
    cardless = await subscribe('cardless', null);
    sent = await subscribe('sent', GOOD, { collection_method: 'send_invoice', payment_terms: '15 NET' });
    authenticated = await subscribe('authenticated', AUTHENTICATED);
  }, 120_000);

  it('is charged again on the days 1, 3, 5 and 7 after the decline, and stays past due after that', async () => {
    for (const day of ['11', '12', '13', '14', '15', '16', '17', '18']) await advance(day);
    expect(await diary(declined)).toEqual([
      '10 invoice.drafted',
      '10 invoice.finalized',
      '10 invoice.payment_failed',
      '10 subscription.past_due',
      '10 dunning.started',
      '11 dunning.step_reached',
      '11 invoice.payment_failed',
      '13 dunning.step_reached',
      '13 invoice.payment_failed',
      '15 dunning.step_reached',
      '15 invoice.payment_failed',
      '17 invoice.fell_due',
      '17 dunning.step_reached',
      '17 invoice.payment_failed',
      '17 dunning.exhausted',
    ]);
    expect(await charges(declined)).toBe(5);
    expect(await statusOf(declined)).toBe('past_due');
    const [invoice] = await declined.invoices();
    const told = await story.get<Record<string, unknown>>(`/invoices/${invoice!.id}/dunning`);
    expect([told['state'], told['steps_taken']]).toEqual(['exhausted', 4]);
  });

  it('is paid by a card that is saved later, and everything is well again', async () => {
    await declined.saveCard(GOOD);
    await settled(null);
    expect((await diary(declined)).slice(-4)).toEqual([
      '18 payment.succeeded',
      '18 invoice.paid',
      '18 subscription.recovered',
      '18 dunning.healed',
    ]);
    expect(await statusOf(declined)).toBe('active');
  });

  it('without a card is asked for from its due date on, with nothing to charge', async () => {
    await advance('25');
    expect((await diary(cardless)).slice(2)).toEqual([
      '17 invoice.fell_due',
      '17 subscription.past_due',
      '17 dunning.started',
      '18 dunning.step_reached',
      '20 dunning.step_reached',
      '22 dunning.step_reached',
      '24 dunning.step_reached',
      '24 dunning.exhausted',
    ]);
    expect(await charges(cardless)).toBe(0);
    await cardless.pay((await cardless.invoices())[0]!);
    expect((await diary(cardless)).slice(-2)).toEqual(['25 subscription.recovered', '25 dunning.healed']);
  });

  it('that is sent instead of charged is due by its terms, and no card is charged for it', async () => {
    await advance('31');
    expect((await diary(sent)).slice(2)).toEqual([
      '25 invoice.fell_due',
      '25 subscription.past_due',
      '25 dunning.started',
      '26 dunning.step_reached',
      '28 dunning.step_reached',
      '30 dunning.step_reached',
    ]);
    expect(await charges(sent)).toBe(0);
    await story.post(`/invoices/${(await sent.invoices())[0]!.id}/payment/attempt`, {}, 200);
    expect((await diary(sent)).slice(-2)).toEqual(['31 subscription.recovered', '31 dunning.healed']);
  });

  it('whose card wants its holder is not tried again with it: the holder pays by the hosted page', async () => {
    expect(await charges(authenticated)).toBe(1);
    expect((await diary(authenticated)).slice(2, 6)).toEqual([
      '10 invoice.payment_failed',
      '10 subscription.past_due',
      '10 dunning.started',
      '11 dunning.step_reached',
    ]);
    const [invoice] = await authenticated.invoices();
    await authenticated.payWith(invoice!, AUTHENTICATED);
    expect((await diary(authenticated)).slice(-4)).toEqual([
      '31 payment.succeeded',
      '31 invoice.paid',
      '31 subscription.recovered',
      '31 dunning.healed',
    ]);
    expect(await statusOf(authenticated)).toBe('active');
  });
});

describe('a dunning that was in vain', () => {
  it('cancels the subscription where that was agreed, by the schedule that was agreed', async () => {
    await modules.api.put('/settings/dunning', { retry_days: [2, 1, 2], ending: 'cancel' });
    expect(await story.get('/settings/dunning')).toEqual({ retry_days: [1, 2], ending: 'cancel' });
    const buyer = await subscribe('cancelled', DECLINED);
    await modules.advanceTo('2026-02-04T09:00:00Z');
    expect((await diary(buyer)).slice(-8)).toEqual([
      '01 dunning.step_reached',
      '01 invoice.payment_failed',
      '02 dunning.step_reached',
      '02 invoice.payment_failed',
      '02 dunning.exhausted',
      '02 subscription.cancelled',
      '02 invoice.drafted',
      '02 invoice.dropped',
    ]);
    expect(await statusOf(buyer)).toBe('cancelled');
  });

  it('pauses it where that was agreed, until the money is there', async () => {
    await modules.api.put('/settings/dunning', { retry_days: [1], ending: 'pause' });
    const buyer = await subscribe('paused', DECLINED);
    await modules.advanceTo('2026-02-06T09:00:00Z');
    expect((await diary(buyer)).slice(-5, -2)).toEqual([
      '05 invoice.payment_failed',
      '05 dunning.exhausted',
      '05 subscription.paused',
    ]);
    await buyer.saveCard(GOOD);
    await settled(null);
    expect(await diary(buyer)).toEqual(expect.arrayContaining(['06 dunning.healed', '06 subscription.resumed']));
    expect(await statusOf(buyer)).toBe('active');
  });

  it('refuses a schedule without a day, or with half a one', async () => {
    for (const retry_days of [[], [0], [1.5], ['x'], null]) {
      const { status } = await modules.api.put('/settings/dunning', { retry_days, ending: 'keep' });
      expect([retry_days, status]).toEqual([retry_days, 400]);
    }
  });
});
