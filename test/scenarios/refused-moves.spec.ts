import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { advance } from './happenings.js';
import { definePlan } from './second-plan.js';
import { Story, type Subscriber } from './story.js';

let modules: Modules;
let story: Story;
let basic: string;
let pro: string;
let people = 0;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
  basic = await definePlan(story, { name: 'Basic', fee: '31' });
  pro = await definePlan(story, { name: 'Pro', fee: '62' });
});

const subscribe = (over: object = {}): Promise<Subscriber> =>
  story.subscribe(`person-${++people}`, { plan_id: basic, ...over });
const post = async ({ subscriptionId }: Subscriber, what: string, body: object) =>
  modules.api.post(`/subscriptions/${subscriptionId}/${what}`, body);

/** A subscription in each status there is. */
const lives: Record<string, () => Promise<Subscriber>> = {
  past_due: async () => {
    const subscriber = await subscribe();
    const { body } = await modules.api.get('/clock');
    await advance(modules, new Date(+new Date(body.now as string) + 8 * 86_400_000).toISOString());
    return subscriber;
  },
  draft: () => subscribe({ start_date: '2030-01-01T00:00:00Z' }),
  incomplete: () => subscribe({ payment_behavior: 'default_incomplete' }),
  trialing: () => subscribe({ trial_period_days: 365 }),
  active: () => subscribe(),
  paused: async () => {
    const subscriber = await subscribe();
    await post(subscriber, 'pause', { pause_mode: 'immediate' });
    return subscriber;
  },
  cancelled: async () => {
    const subscriber = await subscribe();
    await post(subscriber, 'cancel', { cancellation_type: 'immediate' });
    return subscriber;
  },
};

const feeOf = async (subscriber: Subscriber): Promise<{ id: string; price_id: string }> => {
  const { line_items } = await subscriber.subscription<{
    line_items: { id: string; price_id: string; price_type: string }[];
  }>();
  return line_items.find(({ price_type }) => price_type === 'FIXED')!;
};

/** Every move that can be asked for. */
const moves: Record<string, (subscriber: Subscriber) => Promise<{ status: number; body: { details?: object } }>> = {
  activate: (subscriber) => post(subscriber, 'activate', {}),
  pause: (subscriber) => post(subscriber, 'pause', { pause_mode: 'immediate' }),
  'pause at the end of the period': (subscriber) => post(subscriber, 'pause', { pause_mode: 'period_end' }),
  resume: (subscriber) => post(subscriber, 'resume', {}),
  'change the plan': (subscriber) => post(subscriber, 'change/execute', { target_plan_id: pro }),
  'preview a change': (subscriber) => post(subscriber, 'change/preview', { target_plan_id: pro }),
  'change the plan later': (subscriber) =>
    post(subscriber, 'change/execute', { target_plan_id: pro, change_at: 'end_of_period' }),
  'add an item': async (subscriber) => post(subscriber, 'lineitems', { price_id: (await feeOf(subscriber)).price_id }),
  'change an item': async (subscriber) =>
    modules.api.put(`/subscriptions/lineitems/${(await feeOf(subscriber)).id}`, { quantity: 2 }),
  'end an item': async (subscriber) => modules.api.delete(`/subscriptions/lineitems/${(await feeOf(subscriber)).id}`),
  'cancel at the end of the period': (subscriber) => post(subscriber, 'cancel', { cancellation_type: 'end_of_period' }),
  'cancel at a date': ({ subscriptionId }) =>
    modules.api.put(`/subscriptions/${subscriptionId}`, { cancel_at: '2039-01-01T00:00:00Z' }),
  cancel: (subscriber) => post(subscriber, 'cancel', { cancellation_type: 'immediate' }),
};

const RUNNING = [
  'pause',
  'pause at the end of the period',
  'change the plan',
  'preview a change',
  'change the plan later',
  'add an item',
  'change an item',
  'end an item',
  'cancel at the end of the period',
  'cancel at a date',
  'cancel',
];
/** What each status allows; anything else is 409 with the status. A draft with a date starts by itself. */
const allowed: Record<string, readonly string[]> = {
  draft: ['cancel at a date', 'cancel'],
  incomplete: ['cancel at a date', 'cancel'],
  trialing: RUNNING,
  active: RUNNING,
  past_due: RUNNING,
  paused: ['resume', 'cancel at a date', 'cancel'],
  cancelled: [],
};

describe.each(Object.keys(lives))('a subscription that is %s', (status) => {
  it.each(Object.keys(moves))('asked to %s', async (move) => {
    const subscriber = await lives[status]!();
    expect(await subscriber.subscription()).toMatchObject({ subscription_status: status });
    const answer = await moves[move]!(subscriber);
    const legal = allowed[status]!.includes(move);
    expect([answer.status < 300 ? 'done' : answer.status, legal ? null : answer.body.details]).toEqual(
      legal ? ['done', null] : [409, { state: status }],
    );
    if (legal) return;
    expect(await subscriber.subscription()).toMatchObject({ subscription_status: status });
  });
});
