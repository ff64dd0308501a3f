import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';

/** Random bytes are fetched in stock: one call for each of an id's 16 random characters is what an id would cost most. */
const stock = Buffer.alloc(4096);
let used = stock.length;

function random(): number {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  return stock[used++]! / 256;
}

/**
 * A new id such as `cust_01JD…`: the prefix says what it names, the rest sorts by the (real) time it was made.
 * 80 random bits: unguessable enough for a list, never a secret.
 */
export const newId = (prefix: string): string => `${prefix}_${ulid(undefined, random)}`;
