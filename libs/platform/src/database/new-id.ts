import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

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

const nextUlid = monotonicFactory(random);

/**
 * A new id such as `cust_01JD…`: the prefix says what it names, the rest sorts by the (real) time it was made, and in one
 * process by the order of making also within a millisecond: lists that go by creation show it. Never a secret.
 */
export const newId = (prefix: string): string => `${prefix}_${nextUlid()}`;
