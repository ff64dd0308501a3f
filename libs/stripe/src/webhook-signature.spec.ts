import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { verifiedEvent } from './webhook-signature.js';

const SECRET = 'whsec_the_secret_of_this_test';
const OTHER = 'whsec_another';
const at = new Date('2026-02-01T12:00:00Z');
const now = at.getTime() / 1000;
const text = JSON.stringify({
  id: 'evt_1',
  type: 'payment_intent.succeeded',
  livemode: false,
  created: now,
  data: { object: { id: 'pi_1', description: 'Zoë' } },
});

const sign = (payload: string, secret = SECRET, timestamp = now) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
const verify = (given: { body?: string; header?: string | string[]; secrets?: string[] }) =>
  verifiedEvent({
    body: Buffer.from(given.body ?? text),
    header: given.header,
    secrets: given.secrets ?? [SECRET],
    at,
  });

describe('a delivery', () => {
  it('that the secret has signed is its event', () => {
    expect(verify({ header: sign(text) })).toMatchObject({ id: 'evt_1', data: { object: { id: 'pi_1' } } });
  });

  it('may be signed by either secret while one is rolled, and by both', () => {
    const both = `t=${now},v1=${hmac(OTHER)},v1=${hmac(SECRET)}`;
    for (const header of [sign(text, SECRET), sign(text, OTHER), both]) {
      expect(verify({ header, secrets: [OTHER, SECRET] }).id).toBe('evt_1');
    }
    expect(verify({ header: both, secrets: [SECRET] }).id).toBe('evt_1');
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['two headers', [sign(text), sign(text)]],
    ['another secret', sign(text, OTHER)],
    ['another body', sign(`${text} `)],
    ['a signature of another scheme', `t=${now},v0=${hmac(SECRET)}`],
    ['no timestamp', `v1=${hmac(SECRET)}`],
    ['two timestamps', `t=${now + 9},t=${now},v1=${hmac(SECRET)}`],
    ['an empty signature', `t=${now},v1=`],
    ['more than 300 s of age', sign(text, SECRET, now - 301)],
    ['a timestamp more than 60 s ahead', sign(text, SECRET, now + 61)],
  ])('with %s is refused', (_what, header) => {
    expect(() => verify({ header })).toThrow(
      expect.objectContaining({ code: 'validation_error', details: { field: 'Stripe-Signature' } }),
    );
  });

  it('of 300 s ago, or 60 s ahead, is taken', () => {
    for (const timestamp of [now - 300, now + 60]) {
      expect(verify({ header: sign(text, SECRET, timestamp) }).id).toBe('evt_1');
    }
  });

  it('is proved by its very bytes: unicode escapes, spaces and a newline at the end count', () => {
    const escaped = text.replace('ë', '\\u00eb');
    const spaced = `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
    for (const body of [escaped, spaced]) {
      expect(verify({ body, header: sign(body) }).id).toBe('evt_1');
      expect(() => verify({ body, header: sign(text) })).toThrow(/does not match/);
    }
  });

  it.each([
    'not json',
    '[]',
    'null',
    '"evt_1"',
    '{"id":"evt_1"}',
    text.replace('evt_1', 'x'),
    text.replace('"pi_1"', '1'),
  ])('that is signed but no event is refused: %s', (body) => {
    expect(() => verify({ body, header: sign(body) })).toThrow(expect.objectContaining({ details: { field: 'body' } }));
  });

  it('is refused where no secret is known', () => {
    expect(() => verify({ header: sign(text), secrets: [] })).toThrow(/does not match/);
  });
});

function hmac(secret: string): string {
  return createHmac('sha256', secret).update(`${now}.${text}`).digest('hex');
}
