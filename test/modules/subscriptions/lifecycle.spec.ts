import { invoiceFellDue, invoicePaid, invoicePaymentFailed } from '@drawdown/contracts';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { refusalOf, SubscriptionWorld } from './subscription-world.js';

let world: SubscriptionWorld;

describe('the example', () => {
  let anniversary: string;
  let calendar: string;
  let prorated: string;

  beforeAll(async () => {
    world = await SubscriptionWorld.start('2027-01-10T09:00:00Z');
    await world.defineStarter(14);
    anniversary = await world.subscribe();
    calendar = await world.subscribe({ billing_cycle: 'calendar' });
    prorated = await world.subscribe({ billing_cycle: 'calendar', proration_behavior: 'create_prorations' });
  });

  it('on 10 January is trialing, with the one-time credits of the trial', async () => {
    expect((await world.subscription(anniversary)).status).toBe('trialing');
    expect(await world.periods(anniversary)).toEqual(['1 trial 2027-01-10T09:00 2027-01-24T09:00 open']);
    expect(await world.grants(anniversary)).toEqual([
      'ONETIME 100 2027-01-10T09:00 until 2027-01-24T09:00 applied',
      'RECURRING 2000 2027-01-24T09:00 until 2027-02-24T09:00 pending',
    ]);
    expect(await world.eventNames(anniversary)).toEqual([
      'subscription.created',
      'subscription.period_opened',
      'credit_grant.due',
    ]);
  });

  it('on 24 January is active: the trial closed, paid time opened, credits given, in this order', async () => {
    await world.advanceTo('2027-01-24T09:00:00Z');
    expect((await world.eventNames(anniversary)).slice(3)).toEqual([
      'subscription.period_closed',
      'subscription.activated',
      'subscription.period_opened',
      'credit_grant.due',
    ]);
    expect((await world.subscription(anniversary)).status).toBe('active');
    expect(await world.periods(anniversary)).toEqual([
      '1 trial 2027-01-10T09:00 2027-01-24T09:00 closed',
      '2 paid 2027-01-24T09:00 2027-02-24T09:00 open',
    ]);
  });

  it('says in the opened period what it follows', async () => {
    const opened = (await world.events(anniversary)).filter(({ name }) => name === 'subscription.period_opened');
    expect(opened[1]!.payload).toMatchObject({
      period: { number: 2, kind: 'paid', start: '2027-01-24T09:00:00.000Z', whole_end: '2027-02-24T09:00:00.000Z' },
      previous: { number: 1, kind: 'trial', end: '2027-01-24T09:00:00.000Z' },
    });
  });

  it('by the calendar gets the part of January, with all credits or with their share', async () => {
    for (const id of [calendar, prorated]) {
      expect((await world.periods(id))[1]).toBe('2 paid 2027-01-24T09:00 2027-02-01T00:00 open');
    }
    expect((await world.grants(calendar))[1]).toBe('RECURRING 2000 2027-01-24T09:00 until 2027-02-01T00:00 applied');
    expect((await world.grants(prorated))[1]).toBe(
      'RECURRING 491.935483870968 2027-01-24T09:00 until 2027-02-01T00:00 applied',
    );
    const opened = (await world.events(prorated)).find(
      ({ name, payload }) => name === 'subscription.period_opened' && payload.previous !== null,
    );
    expect(opened!.payload.period).toMatchObject({
      whole_start: '2027-01-01T00:00:00.000Z',
      whole_end: '2027-02-01T00:00:00.000Z',
    });
  });

  it('goes on month by month with 2,000 each', async () => {
    await world.advanceTo('2027-03-01T01:00:00Z');
    expect((await world.periods(anniversary)).slice(2)).toEqual(['3 paid 2027-02-24T09:00 2027-03-24T09:00 open']);
    expect((await world.grants(anniversary)).slice(2)).toEqual([
      'RECURRING 2000 2027-02-24T09:00 until 2027-03-24T09:00 applied',
      'RECURRING 2000 2027-03-24T09:00 until 2027-04-24T09:00 pending',
    ]);
    expect((await world.periods(prorated)).slice(2)).toEqual([
      '3 paid 2027-02-01T00:00 2027-03-01T00:00 closed',
      '4 paid 2027-03-01T00:00 2027-04-01T00:00 open',
    ]);
  });

  it('advanced to the same instant again does nothing', async () => {
    expect(await world.advanceTo('2027-03-01T01:00:00Z')).toEqual([]);
  });
});

describe('an unpaid bill', () => {
  let id: string;
  const invoice = async (subscriptionId: string | null) => {
    const { customerId } = await world.subscription(id);
    return { invoice_id: 'inv', customer_id: customerId, subscription_id: subscriptionId, currency: 'usd' };
  };

  beforeAll(async () => {
    await world.advanceTo('2027-05-10T00:00:00Z');
    id = await world.subscribe({ trial_period_days: 0 });
  });

  it('makes the subscription past due, once', async () => {
    await world.publish(invoiceFellDue, await invoice(id));
    await world.publish(invoicePaymentFailed, { ...(await invoice(id)), payment_id: 'pay', reason: 'declined' });
    expect((await world.subscription(id)).status).toBe('past_due');
    expect((await world.eventNames(id)).filter((name) => name === 'subscription.past_due')).toHaveLength(1);
  });

  it('of no subscription changes nothing', async () => {
    const other = await world.subscribe({ trial_period_days: 0 });
    await world.publish(invoiceFellDue, await invoice(null));
    expect((await world.subscription(other)).status).toBe('active');
  });

  it('makes further recurring grants wait while periods go on', async () => {
    await world.advanceTo('2027-07-10T00:00:00Z');
    expect((await world.periods(id)).at(-1)).toBe('3 paid 2027-07-10T00:00 2027-08-10T00:00 open');
    expect(await world.grants(id)).toEqual([
      'ONETIME 100 2027-05-10T00:00 until 2027-05-24T00:00 applied',
      'RECURRING 2000 2027-05-10T00:00 until 2027-06-10T00:00 applied',
      'RECURRING 2000 2027-06-10T00:00 until 2027-07-10T00:00 pending',
      'RECURRING 2000 2027-07-10T00:00 until 2027-08-10T00:00 pending',
      'RECURRING 2000 2027-08-10T00:00 until 2027-09-10T00:00 pending',
    ]);
  });

  it('stays past due while another is overdue', async () => {
    await world.publish(invoicePaid, { ...(await invoice(id)), amount_paid: '149', overdue_remaining: 1 });
    expect((await world.subscription(id)).status).toBe('past_due');
  });

  it('once paid gives what has waited, each from its own instant, and no future one', async () => {
    await world.advanceTo('2027-07-15T00:00:00Z');
    await world.publish(invoicePaid, { ...(await invoice(id)), amount_paid: '149', overdue_remaining: 0 });
    expect((await world.subscription(id)).status).toBe('active');
    expect((await world.grants(id)).slice(2).map((grant) => grant.split(' ').at(-1))).toEqual([
      'applied',
      'applied',
      'pending',
    ]);
    const given = (await world.events(id)).filter(({ name }) => name === 'credit_grant.due').slice(2);
    const periods = (await world.events(id)).filter(({ name }) => name === 'subscription.period_opened');
    expect(given.map(({ payload }) => [payload.effective_at, payload.period_id])).toEqual([
      ['2027-06-10T00:00:00.000Z', (periods[1]!.payload.period as { period_id: string }).period_id],
      ['2027-07-10T00:00:00.000Z', (periods[2]!.payload.period as { period_id: string }).period_id],
    ]);
  });

  it('leaves the schedule as it was: the next grant is given at its time', async () => {
    await world.advanceTo('2027-08-10T00:00:00Z');
    expect((await world.grants(id)).slice(4)).toEqual([
      'RECURRING 2000 2027-08-10T00:00 until 2027-09-10T00:00 applied',
      'RECURRING 2000 2027-09-10T00:00 until 2027-10-10T00:00 pending',
    ]);
  });
});

describe('cancelling', () => {
  const cancel = (id: string, type: 'immediate' | 'end_of_period', finalInvoice = true) =>
    world.run((tx) => world.service.cancel(tx, id, { type, finalInvoice, reason: null }));

  it('at once ends the period there, with all that was to come', async () => {
    await world.advanceTo('2028-01-10T00:00:00Z');
    const id = await world.subscribe({ trial_period_days: 0 });
    await world.advanceTo('2028-01-20T12:00:00Z');
    const { lastPeriod } = await cancel(id, 'immediate', false);
    expect(lastPeriod!.endAt).toEqual(new Date('2028-01-20T12:00:00Z'));
    expect(await world.periods(id)).toEqual(['1 paid 2028-01-10T00:00 2028-01-20T12:00 closed']);
    expect((await world.grants(id)).at(-1)).toMatch(/2028-02-10T00:00 .* cancelled$/);
    expect((await world.eventNames(id)).slice(-2)).toEqual(['subscription.period_closed', 'subscription.cancelled']);
    expect((await world.events(id)).at(-1)!.payload).toMatchObject({
      final_invoice: false,
      last_period: { number: 1, end: '2028-01-20T12:00:00.000Z', whole_end: '2028-02-10T00:00:00.000Z' },
    });
    const before = await world.eventNames(id);
    await world.advanceTo('2028-03-15T00:00:00Z');
    expect(await world.eventNames(id)).toEqual(before);
  });

  it('in the instant it began leaves a period without length', async () => {
    const id = await world.subscribe({ trial_period_days: 0 });
    await cancel(id, 'immediate');
    expect(await world.periods(id)).toEqual(['1 paid 2028-03-15T00:00 2028-03-15T00:00 closed']);
  });

  it('at the end of the period opens no other and gives no other grant', async () => {
    const id = await world.subscribe({ trial_period_days: 0 });
    const { effectiveAt } = await cancel(id, 'end_of_period');
    expect(effectiveAt).toEqual(new Date('2028-04-15T00:00:00Z'));
    expect((await world.subscription(id)).status).toBe('active');
    await world.advanceTo('2028-05-20T00:00:00Z');
    expect(await world.periods(id)).toEqual(['1 paid 2028-03-15T00:00 2028-04-15T00:00 closed']);
    expect(await world.subscription(id)).toMatchObject({ status: 'cancelled', cancelAtPeriodEnd: true });
    expect((await world.grants(id)).at(-1)).toMatch(/2028-04-15T00:00 .* cancelled$/);
  });

  it('at the end of a trial ends without paid time', async () => {
    const id = await world.subscribe({ trial_period_days: 3 });
    await cancel(id, 'end_of_period');
    await world.advanceTo('2028-06-20T00:00:00Z');
    expect(await world.periods(id)).toEqual(['1 trial 2028-05-20T00:00 2028-05-23T00:00 closed']);
    expect(await world.eventNames(id)).not.toContain('subscription.activated');
  });

  it('twice is refused', async () => {
    const id = await world.subscribe();
    await cancel(id, 'immediate');
    expect(await refusalOf(cancel(id, 'immediate'))).toMatchObject({ status: 409 });
    expect(await refusalOf(cancel(id, 'end_of_period'))).toMatchObject({ status: 409 });
  });

  it('a draft at once starts nothing; its end of period is refused', async () => {
    const id = await world.subscribe({ start_date: '2028-07-01T00:00:00Z' });
    expect(await refusalOf(cancel(id, 'end_of_period'))).toMatchObject({ status: 409 });
    const { lastPeriod } = await cancel(id, 'immediate');
    expect(lastPeriod).toBeNull();
    await world.advanceTo('2028-07-20T00:00:00Z');
    expect(await world.eventNames(id)).toEqual(['subscription.created', 'subscription.cancelled']);
  });

  it('can be planned, moved and withdrawn', async () => {
    const id = await world.subscribe({ trial_period_days: 0 });
    const put = (body: object) => world.api('put', `/subscriptions/${id}`, body);
    expect((await put({ cancel_at: '2028-07-25T00:00:00Z' })).body.cancel_at).toBe('2028-07-25T00:00:00.000Z');
    expect((await put({ cancel_at_period_end: true })).body).toMatchObject({
      cancel_at: '2028-08-20T00:00:00.000Z',
      cancel_at_period_end: true,
    });
    expect((await put({ cancel_at_period_end: false })).body).toMatchObject({
      cancel_at: null,
      cancel_at_period_end: false,
    });
    await world.advanceTo('2028-08-20T00:00:00Z');
    expect((await world.subscription(id)).status).toBe('active');
    expect((await put({ cancel_at: '2028-08-01T00:00:00Z' })).body.details.field).toBe('cancel_at');
  });
});
