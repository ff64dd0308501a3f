/** reference/stripe.md, section 9: refunds and disputes, with the events of each. */
import { failure, startHarness, type Harness } from '../test/harness.js';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

async function paid(amount = 1000) {
  const intent = await h.stripe.paymentIntents.create({
    amount,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
  });
  return { intent: intent.id, charge: intent.latest_charge as string };
}
const typesAbout = async (id: string) =>
  (await h.stripe.events.list({ limit: 100 })).data
    .filter((event) => (event.data.object as { id: string }).id === id)
    .map((event) => event.type)
    .reverse();

test('refunds add up to the charge and never above it', async () => {
  const { intent, charge } = await paid();
  const part = await h.stripe.refunds.create({ payment_intent: intent, amount: 300, metadata: { note: 'n1' } });
  expect(part).toMatchObject({ status: 'succeeded', amount: 300, charge, metadata: { note: 'n1' } });
  expect(await h.stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 300, refunded: false });
  expect(await failure(h.stripe.refunds.create({ charge, amount: 701 }))).toMatchObject({
    statusCode: 400,
    param: 'amount',
  });
  expect(await h.stripe.refunds.create({ charge })).toMatchObject({ amount: 700 });
  expect(await h.stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 1000, refunded: true });
  expect(await failure(h.stripe.refunds.create({ charge }))).toMatchObject({ code: 'charge_already_refunded' });
  expect((await h.stripe.refunds.list({ payment_intent: intent })).data).toHaveLength(2);
  expect(await typesAbout(part.id)).toEqual(['refund.created']);
  expect(await typesAbout(charge)).toEqual(['charge.succeeded', 'charge.refunded', 'charge.refunded']);
});

test('a refund can fail later', async () => {
  const { charge } = await paid();
  const refund = await h.stripe.refunds.create({ charge });
  await h.control('POST', `/refunds/${refund.id}/fail`, { reason: 'lost_or_stolen_card' });
  expect(await h.stripe.refunds.retrieve(refund.id)).toMatchObject({
    status: 'failed',
    failure_reason: 'lost_or_stolen_card',
  });
  expect(await h.stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 0, refunded: false });
  expect(await typesAbout(refund.id)).toEqual(['refund.created', 'refund.updated', 'refund.failed']);
});

test('what was not paid cannot be refunded', async () => {
  const { id } = await h.stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
  expect(await failure(h.stripe.refunds.create({ payment_intent: id }))).toMatchObject({ statusCode: 400 });
  expect(await failure(h.stripe.refunds.create({}))).toMatchObject({ code: 'parameter_missing' });
});

test('a dispute that is lost', async () => {
  const { charge } = await paid();
  const dispute = await h.control('POST', '/disputes', { charge, reason: 'product_not_received' });
  expect(dispute).toMatchObject({ status: 'needs_response', amount: 1000 });
  expect(await h.stripe.charges.retrieve(charge)).toMatchObject({ disputed: true });
  expect(await failure(h.stripe.refunds.create({ charge }))).toMatchObject({ code: 'charge_disputed' });
  expect(await h.stripe.disputes.close(dispute.id)).toMatchObject({ status: 'lost' });
  expect(await typesAbout(dispute.id)).toEqual([
    'charge.dispute.created',
    'charge.dispute.funds_withdrawn',
    'charge.dispute.updated',
    'charge.dispute.closed',
  ]);
});

test('a dispute that is won brings the funds back', async () => {
  const { intent } = await paid();
  const dispute = await h.control('POST', '/disputes', { payment_intent: intent });
  await h.control('POST', `/disputes/${dispute.id}/close`, { outcome: 'won' });
  expect(await h.stripe.disputes.retrieve(dispute.id)).toMatchObject({ status: 'won' });
  expect(await typesAbout(dispute.id)).toContain('charge.dispute.funds_reinstated');
  expect((await h.stripe.disputes.list({ payment_intent: intent })).data).toHaveLength(1);
});

test('the oracle counts successful charges by a key of their metadata', async () => {
  const pay = (invoice: string, card: string) =>
    h.stripe.paymentIntents
      .create({ amount: 700, currency: 'usd', payment_method: card, confirm: true, metadata: { invoice } })
      .catch(() => undefined);
  await pay('inv_1', 'pm_card_visa');
  await pay('inv_1', 'pm_card_visa');
  await pay('inv_2', 'pm_card_chargeDeclined');
  const { groups } = await h.control('GET', '/charges?group_by=invoice');
  expect(groups).toEqual({ inv_1: { successful: 2, amount: 1400 } });
  const { charges, entries } = await h.control('GET', '/journal?object=charge');
  expect(charges.filter((one: { metadata: object }) => 'invoice' in one.metadata)).toHaveLength(2);
  expect(entries.at(-1).changes[0]).toMatchObject({ object: 'charge', value: { status: 'failed' } });
});
