import { beforeAll, describe, expect, it } from '@jest/globals';
import { declined, InvoicingWorld, lost, succeeded } from './invoicing-world.js';

let world: InvoicingWorld;
beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
}, 120_000);

/** A subscription by the day, whose first charge nobody answers. */
async function unanswered() {
  const plan_id = await world.plan({ amount: '20', billing_period: 'DAILY' });
  const customer = await world.customer({ card: true });
  world.gateway.willAnswer(...Array.from({ length: 200 }, lost));
  const options = { plan_id, billing_period: 'DAILY', payment_behavior: 'allow_incomplete' };
  const { id, latest_invoice: invoice } = await world.subscribe(customer, options);
  const [attempt] = await world.attempts(invoice!.id);
  const status = async () =>
    (await world.ok<{ subscription_status: string }>(world.modules.api.get(`/subscriptions/${id}`)))
      .subscription_status;
  return { invoice: invoice!.id, attempt: attempt!.id, status };
}

describe('a first payment whose outcome is not known', () => {
  it('is waited for beyond its time, but not beyond the period; declined then, nobody owes it', async () => {
    const { invoice, attempt, status } = await unanswered();
    await world.wait(23 * 60 + 30);
    expect(await status()).toBe('incomplete');
    await world.wait(30);
    expect(await status()).toBe('cancelled');
    expect(await world.read(invoice)).toMatchObject({ invoice_status: 'FINALIZED', payment_status: 'PENDING' });
    await world.chargeTold(attempt, declined());
    expect(await world.read(invoice)).toMatchObject({ invoice_status: 'VOIDED' });
    expect(await world.events(invoice)).not.toContain('dunning.started');
  });

  it('that turns out to have succeeded in time makes it active', async () => {
    const { invoice, attempt, status } = await unanswered();
    await world.wait(20 * 60);
    await world.chargeTold(attempt, succeeded({ invoiceId: invoice, amount: '20' }));
    expect(await status()).toBe('active');
    expect(await world.read(invoice)).toMatchObject({ payment_status: 'SUCCEEDED' });
  });
});
