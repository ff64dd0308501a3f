import { Flexprice } from '@flexprice/sdk';
import { beforeAll, expect, it } from '@jest/globals';
import { API_KEY, startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { Story, type Subscriber } from './story.js';

/** The published client validates each answer: a declared key that is missing fails the call. */
let modules: Modules;
let story: Story;
let client: Flexprice;
let pro: string;
let people = 0;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  pro = await definePlan(story, { name: 'Pro', fee: '299' });
  client = new Flexprice({ serverURL: `${modules.url}/v1`, apiKeyAuth: API_KEY });
});

const subscribe = (over: object = {}): Promise<Subscriber> =>
  story.subscribe(`client-${++people}`, { proration_behavior: 'create_prorations', ...over });
const change = (changeAt: 'immediate' | 'end_of_period') => ({
  targetPlanId: pro,
  billingCadence: 'RECURRING' as const,
  billingPeriod: 'MONTHLY' as const,
  billingCycle: 'anniversary' as const,
  prorationBehavior: 'create_prorations' as const,
  changeAt,
});

it('previews and executes a change of plan', async () => {
  const { subscriptionId } = await subscribe();
  const preview = await client.subscriptions.previewSubscriptionChange(subscriptionId, change('immediate'));
  expect(preview.targetPlan?.name).toBe('Pro');
  const done = await client.subscriptions.executeSubscriptionChange(subscriptionId, change('immediate'));
  expect([done.changeType, done.newSubscription?.planId]).toEqual(['upgrade', pro]);
});

it('lists and cancels a planned change, by the routes that say v1 twice', async () => {
  const { subscriptionId } = await subscribe();
  const planned = await client.subscriptions.executeSubscriptionChange(subscriptionId, change('end_of_period'));
  const listed = await client.subscriptions.listSubscriptionSchedules(subscriptionId);
  expect(listed.schedules?.map(({ id }) => id)).toEqual([planned.scheduleId]);
  expect((await client.subscriptions.getSubscriptionSchedule(planned.scheduleId!)).status).toBe('pending');
  expect((await client.subscriptions.listAllSubscriptionSchedules(true)).count).toBe(1);
  const cancelled = await client.subscriptions.cancelSubscriptionSchedule(planned.scheduleId!);
  expect(cancelled.status).toBe('cancelled');
});

it('pauses, lists pauses and resumes', async () => {
  const { subscriptionId } = await subscribe();
  const paused = await client.subscriptions.pauseSubscription(subscriptionId, { pauseMode: 'immediate' });
  expect(paused.pauseStatus).toBe('active');
  const [list] = await client.subscriptions.listSubscriptionPauses(subscriptionId);
  expect(list!.items?.map(({ id }) => id)).toEqual([paused.id]);
  const resumed = await client.subscriptions.resumeSubscription(subscriptionId, { resumeMode: 'immediate' });
  expect(resumed.pauseStatus).toBe('completed');
  expect((await client.subscriptions.getSubscription(subscriptionId)).subscriptionStatus).toBe('active');
});

it('activates a draft, changes and ends line items, and cancels', async () => {
  const { subscriptionId } = await subscribe({ subscription_status: 'draft' });
  const active = await client.subscriptions.activateSubscription(subscriptionId, {
    startDate: '2026-01-01T00:00:00Z',
  });
  const fee = active.lineItems!.find(({ priceType }) => priceType === 'FIXED')!;
  const dearer = await client.subscriptions.updateSubscriptionLineItem(fee.id!, { amount: '200' });
  expect(dearer.price?.amount).toBe('200');
  const added = await client.subscriptions.createSubscriptionLineItem(subscriptionId, { priceId: fee.priceId! });
  const ended = await client.subscriptions.deleteSubscriptionLineItem(added.id!, {});
  expect(ended.endDate).toBe('2026-01-01T00:00:00.000Z');
  const cancelled = await client.subscriptions.cancelSubscription(subscriptionId, {
    cancellationType: 'immediate',
    prorationBehavior: 'create_prorations',
  });
  expect(cancelled.status).toBe('cancelled');
});
