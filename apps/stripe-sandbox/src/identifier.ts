import { randomInt } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An unguessable id in Stripe's form: `pi_` and 24 letters or digits. */
export function newId(prefix: string, length = 24): string {
  let id = '';
  while (id.length < length) id += ALPHABET[randomInt(ALPHABET.length)];
  return `${prefix}_${id}`;
}
