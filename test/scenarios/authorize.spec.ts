import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type Subscriber } from './story.js';

interface Answer {
  id: string | null;
  allowed: boolean;
  reason: string | null;
  credits_held: string;
  balance: string;
}

/** "May it, and keep it", told over HTTP: 100 credits for 14 days of trial, 10 a table after 5, 1.5 a row. */
let modules: Modules;
let story: Story;

const ask = (who: Subscriber, wanted: object) =>
  story.post<Answer>('/credits/authorize', { external_customer_id: who.externalId, ...wanted }, 200);
const rows = (count: number | string) => ({ event_name: 'contact_enrich', properties: { rows: String(count) } });
const table = { event_name: 'table_create', properties: { status: 'success' } };
const capture = (id: string | null, body: object = {}, status = 200) =>
  story.post<Record<string, string>>(`/credits/holds/${id}/capture`, body, status);
const release = (id: string | null, status = 200) =>
  story.post<Record<string, string>>(`/credits/holds/${id}/release`, {}, status);

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
  await story.defineStarter();
});

describe('asking', () => {
  it('keeps what the use would burn, out of what others may spend', async () => {
    const who = await story.subscribe('asking');
    expect(await ask(who, rows(20))).toMatchObject({ allowed: true, reason: null, credits_held: '30', balance: '70' });
    expect([await who.balance(), await who.ledger()]).toEqual(['70', '100']);
    expect(await ask(who, rows(47))).toEqual({
      id: null,
      allowed: false,
      reason: 'insufficient_credits',
      credits_held: '0',
      balance: '70',
    });
    expect(await ask(who, { ...rows(40), hold: false })).toMatchObject({ id: null, allowed: true, balance: '70' });
    expect((await who.enrich(60))[0]).toBe('70');
    expect([await who.balance(), await who.ledger()]).toEqual(['0', '30']);
  });

  it('counts free units that open holds use', async () => {
    const who = await story.subscribe('free-units');
    const held = [];
    for (let i = 0; i < 6; i++) held.push((await ask(who, table)).credits_held);
    expect(held).toEqual(['0', '0', '0', '0', '0', '10']);
  });

  it('answers for features, and says why not', async () => {
    const who = await story.subscribe('features');
    const { exportFeatureId, tablesFeatureId } = story.starter;
    expect(await ask(who, { feature: exportFeatureId })).toMatchObject({ id: null, allowed: true, credits_held: '0' });
    expect(await ask(who, { feature: tablesFeatureId })).toMatchObject({ allowed: true, credits_held: '0' });
    expect(await ask(who, { event_name: 'unheard_of' })).toMatchObject({ allowed: false, reason: 'not_entitled' });
    await story.post('/customers', { external_id: 'nobody' });
    const nobody = { external_customer_id: 'nobody' };
    expect(await ask(who, { ...nobody, ...rows(1) })).toMatchObject({ reason: 'no_running_subscription' });
  });

  it('refuses what says nothing or too much', async () => {
    const who = await story.subscribe('bad-input');
    const refused = async (body: object) =>
      (await modules.api.post('/credits/authorize', { external_customer_id: who.externalId, ...body })).body.details
        ?.field;
    expect(await refused({})).toBe('event_name');
    expect(await refused({ ...rows(1), credits: '1' })).toBe('event_name');
    expect(await refused({ event_name: 'contact_enrich' })).toBe('properties');
    expect(await refused(rows('many'))).toBe('properties');
    expect(await refused({ credits: '-1' })).toBe('credits');
    expect(await refused({ ...rows(1), expires_in_seconds: 86_401 })).toBe('expires_in_seconds');
  });

  it('answers a key once, and refuses it for another request', async () => {
    const who = await story.subscribe('keys');
    const first = await ask(who, { ...rows(10), idempotency_key: 'key-1' });
    expect(await ask(who, { ...rows(10), idempotency_key: 'key-1' })).toEqual(first);
    expect(await who.balance()).toBe('85');
    const other = await modules.api.post('/credits/authorize', {
      external_customer_id: who.externalId,
      ...rows(11),
      idempotency_key: 'key-1',
    });
    expect(other.status).toBe(409);
  });
});

describe('capturing', () => {
  it('takes what was really used: less lets the rest go, more is taken as far as credits allow', async () => {
    const who = await story.subscribe('capture');
    const less = await ask(who, rows(20));
    expect(await capture(less.id, { properties: { rows: '10' } })).toMatchObject({
      hold_status: 'captured',
      credits_captured: '15',
      shortfall: '0',
    });
    expect([await who.balance(), await who.ledger()]).toEqual(['85', '85']);
    const more = await ask(who, rows(20));
    const captured = await capture(more.id, { properties: { rows: '60' }, event_id: 'more-1' });
    expect(captured).toMatchObject({ credits_captured: '85', shortfall: '5', event_id: 'more-1' });
    expect([await who.balance(), await who.ledger()]).toEqual(['0', '0']);
    expect(await story.get('/events/more-1')).toBeDefined();
    await capture(more.id, {}, 409);
    await release(more.id, 409);
  });

  it('of plain credits is a debit, never beyond the credits there are', async () => {
    const who = await story.subscribe('plain');
    const hold = await ask(who, { credits: '40' });
    expect(hold).toMatchObject({ allowed: true, credits_held: '40', balance: '60' });
    expect(await ask(who, { credits: '60.000000000001' })).toMatchObject({ reason: 'insufficient_credits' });
    expect(await capture(hold.id, { credits: '150' })).toMatchObject({ credits_captured: '100', shortfall: '0' });
    expect(await who.ledger()).toBe('0');
  });

  it('a release gives everything back', async () => {
    const who = await story.subscribe('release');
    const { id } = await ask(who, rows(20));
    expect(await release(id)).toMatchObject({ hold_status: 'released', credits_captured: '0' });
    expect(await who.balance()).toBe('100');
    await capture(id, {}, 409);
  });
});

describe('time', () => {
  it('an expired hold is free again at that instant, and can not be captured', async () => {
    const who = await story.subscribe('expiry');
    const { id } = await ask(who, { ...rows(20), expires_in_seconds: 60 });
    await modules.advanceTo('2026-01-10T09:00:59Z');
    expect(await who.balance()).toBe('70');
    await modules.advanceTo('2026-01-10T09:01:00Z');
    expect(await who.balance()).toBe('100');
    expect(await story.get(`/credits/holds/${id}`)).toMatchObject({ hold_status: 'expired' });
    await capture(id, {}, 409);
  });

  it('a hold keeps its lot past its expiry, and the captured event counts at the hold’s time', async () => {
    const who = await story.subscribe('past-expiry');
    await modules.advanceTo('2026-01-24T08:55:00Z');
    const kept = await ask(who, { ...rows(20), expires_in_seconds: 7_200 });
    const dropped = await ask(who, { ...rows(10), expires_in_seconds: 7_200 });
    await modules.advanceTo('2026-01-24T09:30:00Z');
    expect(await capture(kept.id)).toMatchObject({ credits_captured: '30', shortfall: '0' });
    await modules.advanceTo('2026-01-24T10:30:00Z');
    await release(dropped.id);
    expect([await who.balance(), await who.ledger()]).toEqual(['2000', '2000']);
  });
});
