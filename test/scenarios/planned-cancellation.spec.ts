import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { Story, type Subscriber } from './story.js';

interface ScheduleBody {
  id: string;
  schedule_type: string;
  status: string;
  scheduled_at: string;
  executed_at: string | null;
  cancelled_at: string | null;
  can_be_cancelled: boolean;
  configuration: object;
}

let modules: Modules;
let story: Story;
let subscriber: Subscriber;
let people = 0;
let place = 0;

/** Every case starts on the first of a month of 31 days. */
const months = ['2026-01', '2026-03', '2026-05', '2026-07', '2026-10'];
const at = (day: string) => new Date(`${months[place]!}-${day}:00Z`).toISOString();
const nextMonth = () => {
  const next = new Date(at('01T00:00'));
  next.setUTCMonth(next.getUTCMonth() + 1);
  return next.toISOString();
};

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  place = -1;
});

beforeEach(async () => {
  place++;
  await modules.advanceTo(at('01T00:00'));
  subscriber = await story.subscribe(`person-${++people}`, { payment_terms: '90 NET' });
});

const route = () => `/subscriptions/${subscriber.subscriptionId}`;
const cancelAtPeriodEnd = (body: object = {}) =>
  story.post(`${route()}/cancel`, { cancellation_type: 'end_of_period', ...body }, 200);
const cancelAt = (cancel_at: string) => modules.api.put(route(), { cancel_at }).expect(200);
const listed = async () => (await story.get<{ schedules: ScheduleBody[] }>(`${route()}/schedules`)).schedules;
const withdraw = (id: string, status = 200, body: object = {}) =>
  story.post<{ status: string }>(`/subscriptions/schedules/${id}/cancel`, body, status);
const statuses = async () => (await listed()).map(({ schedule_type, status }) => [schedule_type, status]);

it('at the period’s end waits on the list, and withdrawn there lets the subscription go on', async () => {
  await cancelAtPeriodEnd({ reason: 'too dear' });
  const [planned, ...others] = await listed();
  expect(others).toEqual([]);
  expect(planned).toMatchObject({
    schedule_type: 'cancellation',
    status: 'pending',
    scheduled_at: nextMonth(),
    can_be_cancelled: true,
    configuration: { cancellation_type: 'end_of_period', reason: 'too dear' },
  });
  expect((await story.get<ScheduleBody>(`/subscription-schedules/${planned!.id}`)).status).toBe('pending');
  await withdraw(planned!.id, 400, { schedule_type: 'plan_change' });
  expect(await withdraw(planned!.id)).toMatchObject({ status: 'cancelled' });
  await withdraw(planned!.id, 409);
  expect(await subscriber.subscription()).toMatchObject({ cancel_at: null, cancel_at_period_end: false });
  await modules.advanceTo(nextMonth());
  expect(await subscriber.subscription()).toMatchObject({
    subscription_status: 'active',
    current_period_start: nextMonth(),
  });
  expect(await statuses()).toEqual([['cancellation', 'cancelled']]);
});

it('at a date stands beside a plan change; another date takes its place, and it happens then', async () => {
  const mini = await definePlan(story, { name: 'Mini', fee: '31' });
  await story.post(`${route()}/change/execute`, { target_plan_id: mini, change_at: 'end_of_period' }, 200);
  await cancelAt(at('11T00:00'));
  await cancelAt(at('11T00:00'));
  await cancelAt(at('21T00:00'));
  expect(await statuses()).toEqual([
    ['cancellation', 'pending'],
    ['cancellation', 'cancelled'],
    ['plan_change', 'pending'],
  ]);
  await modules.advanceTo(at('22T00:00'));
  expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'cancelled' });
  expect(await statuses()).toEqual([
    ['cancellation', 'executed'],
    ['cancellation', 'cancelled'],
    ['plan_change', 'cancelled'],
  ]);
  expect((await listed())[0]).toMatchObject({ executed_at: at('21T00:00'), can_be_cancelled: false });
});

it('is over when the subscription is cancelled at once, and when it is withdrawn by its own route', async () => {
  await cancelAtPeriodEnd();
  await modules.api.put(route(), { cancel_at_period_end: false }).expect(200);
  expect(await statuses()).toEqual([['cancellation', 'cancelled']]);
  await cancelAtPeriodEnd();
  await story.post(`${route()}/cancel`, { cancellation_type: 'immediate' }, 200);
  expect(await statuses()).toEqual([
    ['cancellation', 'cancelled'],
    ['cancellation', 'cancelled'],
  ]);
});

it('withdrawn leaves an agreed end, which is no planned cancellation', async () => {
  subscriber = await story.subscribe(`person-${++people}`, { end_date: at('21T00:00'), payment_terms: '90 NET' });
  expect(await listed()).toEqual([]);
  await cancelAt(at('11T00:00'));
  await withdraw((await listed())[0]!.id);
  await modules.advanceTo(at('12T00:00'));
  expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'active', cancel_at: at('21T00:00') });
});
