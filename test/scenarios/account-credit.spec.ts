import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type Subscriber } from './story.js';

interface RefundList {
  items: { amount: string; refund_status: string; gateway_refund_id: string; payment_id: string }[];
}

let modules: Modules;
let story: Story;
let subscriber: Subscriber;
let people = 0;
const months = ['2026-01', '2026-03', '2026-05'];

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
});

/** Somebody who paid 149 by card on the first of a month of 31 days, and cancelled on the 11th with prorations. */
beforeEach(async () => {
  const month = months[people]!;
  await modules.advanceTo(`${month}-01T00:00:00Z`);
  subscriber = await story.subscribe(`person-${++people}`);
  await subscriber.pay(await subscriber.lastInvoice());
  await modules.advanceTo(`${month}-11T00:00:00Z`);
  await story.post(
    `/subscriptions/${subscriber.subscriptionId}/cancel`,
    { cancellation_type: 'immediate', proration_behavior: 'create_prorations' },
    200,
  );
  await modules.advanceTo(`${month}-11T01:00:00Z`);
});

const route = () => `/customers/${subscriber.customerId}/account-credit/refunds`;
const payOut = (body: object) => story.post<RefundList>(route(), { currency: 'usd', ...body });
const refused = async (body: object) => {
  const { status, body: said } = await modules.api.post(route(), { currency: 'usd', ...body });
  return [status, said.details?.refundable_amount ?? said.details?.field];
};
const accountCredit = async () => {
  const body = await story.get<{ summaries: { account_credit_amount: string }[] }>(
    `/customers/${subscriber.customerId}/invoices/summary`,
  );
  return body.summaries[0]!.account_credit_amount;
};
/** In cents. */
const refundedAtStripe = async () => {
  const { items } = await story.get<{ items: { gateway_payment_id: string }[] }>(
    `/payments?destination_id=${(await subscriber.invoices())[0]!.id}`,
  );
  const answer = await fetch(
    `${modules.sandbox.controlUrl}/charges?payment_intent=${items.at(-1)!.gateway_payment_id}`,
  );
  const { data } = (await answer.json()) as { data: { amount_refunded: number }[] };
  return data.reduce((total, charge) => total + charge.amount_refunded, 0);
};

describe('account credit', () => {
  it('is paid out, all that there is, to the card it came from', async () => {
    expect(await accountCredit()).toBe('100.94');
    const { items } = await payOut({});
    expect(items).toMatchObject([{ amount: '100.94', refund_status: 'succeeded' }]);
    expect([await accountCredit(), await refundedAtStripe()]).toEqual(['0', 10_094]);
    expect(await refused({})).toEqual([409, '0']);
    expect(await refundedAtStripe()).toBe(10_094);
  });

  it('is paid out in parts, never more than there is, nor parts of a cent, nor in another currency', async () => {
    await payOut({ amount: '100' });
    expect(await accountCredit()).toBe('0.94');
    expect(await refused({ amount: '0.95' })).toEqual([409, '0.94']);
    expect(await refused({ amount: '0.005' })).toEqual([400, 'amount']);
    expect(await refused({ currency: 'eur' })).toEqual([409, '0']);
    await payOut({ amount: '0.94' });
    expect([await accountCredit(), await refundedAtStripe()]).toEqual(['0', 10_094]);
  });

  it('returns when the bank sends the refund back, and can be paid out once more', async () => {
    const { items } = await payOut({});
    await fetch(`${modules.sandbox.controlUrl}/refunds/${items[0]!.gateway_refund_id}/fail`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    await story.hear();
    await story.hear();
    expect(await accountCredit()).toBe('100.94');
    expect((await payOut({})).items).toMatchObject([{ amount: '100.94', refund_status: 'succeeded' }]);
    expect(await accountCredit()).toBe('0');
  });
});
