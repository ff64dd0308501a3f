import { Flexprice } from '@flexprice/sdk';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SubscriptionWorld } from '../subscriptions/subscription-world.js';

let world: SubscriptionWorld;
let client: Flexprice;
beforeAll(async () => {
  world = await SubscriptionWorld.start('2027-01-10T09:00:00Z');
  client = await world.client();
});

const events = async (id: string): Promise<string[]> => world.eventsOfCustomer(id);

describe('a customer', () => {
  it('is created, read by both ids, changed and archived, and each is told', async () => {
    const { id } = await client.customers.createCustomer({
      externalId: 'acme',
      name: 'Acme',
      email: 'billing@acme.example',
      addressLine1: '1 Road',
      addressCountry: 'DE',
      metadata: { tier: 'gold' },
    });
    expect(await client.customers.getCustomer(id!)).toMatchObject({ externalId: 'acme', addressCountry: 'DE' });
    expect((await client.customers.getCustomerByExternalId('acme')).id).toBe(id);
    const changed = await client.customers.updateCustomer({ name: 'Acme Inc' }, undefined, 'acme');
    expect(changed).toMatchObject({ id, name: 'Acme Inc', email: 'billing@acme.example', metadata: { tier: 'gold' } });
    await client.customers.deleteCustomer(id!);
    expect((await world.api('get', `/customers/${id}`)).status).toBe(404);
    expect(await events(id!)).toEqual(['customer.created', 'customer.updated', 'customer.deleted']);
  });

  it('that is archived frees its external id and is found only when asked for', async () => {
    const first = await world.customer({ external_id: 'again' });
    await world.api('delete', `/customers/${first.id}`);
    const second = await world.customer({ external_id: 'again' });
    const found = async (body: object) =>
      (await world.api('post', '/customers/search', { external_id: 'again', ...body })).body.items.map(
        (one: { id: string }) => one.id,
      );
    expect(await found({})).toEqual([second.id]);
    expect(await found({ status: 'archived' })).toEqual([first.id]);
  });

  it('has an external id of its own in the environment', async () => {
    await world.customer({ external_id: 'taken' });
    const answer = await world.api('post', '/customers', { external_id: 'taken' });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'already_exists', details: { field: 'external_id' } });
    const other = await world.customer();
    expect((await world.api('put', `/customers?id=${other.id}`, { external_id: 'taken' })).status).toBe(409);
    expect((await world.api('put', `/customers?id=${other.id}`, { external_id: other.external_id })).status).toBe(200);
  });

  it('keeps the zone it names in either spelling; UTC without one', async () => {
    const zone = async (body: object) =>
      (await world.api('get', `/customers/${(await world.customer(body)).id}`)).body.timezone;
    expect(await zone({})).toBe('UTC');
    expect(await zone({ timezone: 'Europe/Berlin' })).toBe('Europe/Berlin');
    expect(await zone({ customer_timezone: 'Asia/Kolkata' })).toBe('Asia/Kolkata');
  });

  it('is cleared of what a change says is null, and keeps what it leaves out', async () => {
    const { id } = await world.customer({ name: 'Named', email: 'a@b.example' });
    const answer = await world.api('put', `/customers?id=${id}`, { name: null });
    expect(answer.body).toMatchObject({ name: null, email: 'a@b.example' });
  });
});

describe('a request is refused by the name of its field', () => {
  it.each<[object, string]>([
    [{}, 'external_id'],
    [{ external_id: '' }, 'external_id'],
    [{ external_id: 5 }, 'external_id'],
    [{ external_id: 'x', timezone: '+01:00' }, 'timezone'],
    [{ external_id: 'x', timezone: 'Mars/Olympus' }, 'timezone'],
    [{ external_id: 'x', email: 'nobody' }, 'email'],
    [{ external_id: 'x', metadata: { a: 1 } }, 'metadata'],
    [{ external_id: 'x', name: 'a\u0000b' }, 'name'],
    [{ external_id: 'x', parent_customer_id: 'cust_1' }, 'parent_customer_id'],
    [{ external_id: 'x', colour: 'red' }, 'colour'],
  ])('%j', async (body, field) => {
    const answer = await world.api('post', '/customers', body);
    expect([answer.status, answer.body.details.field]).toEqual([400, field]);
  });

  it('and a change that names no customer', async () => {
    const answer = await world.api('put', '/customers', { name: 'x' });
    expect([answer.status, answer.body.details.field]).toEqual([400, 'customer_id']);
  });
});

it('lists are paged, newest first', async () => {
  await world.advanceTo('2027-01-11T00:00:00Z');
  const made: string[] = [];
  for (const day of ['12', '13', '14']) {
    await world.advanceTo(`2027-01-${day}T00:00:00Z`);
    made.unshift((await world.customer()).id);
  }
  const page = await client.customers.queryCustomer({ customerIds: made, limit: 2, offset: 1 });
  expect(page.items!.map((one) => one.id)).toEqual(made.slice(1));
  expect(page.pagination).toEqual({ total: 3, limit: 2, offset: 1 });
  const since = await client.customers.queryCustomer({ customerIds: made, startTime: '2027-01-13T00:00:00Z' });
  expect(since.items!.map((one) => one.id)).toEqual(made.slice(0, 2));
});
