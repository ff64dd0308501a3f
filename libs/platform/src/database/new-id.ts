import { ulid } from 'ulid';

/**
 * A new id such as `cust_01JD…`: the prefix says what it names, the rest sorts by the (real) time it was made.
 * 80 random bits: unguessable enough for a list, never a secret.
 */
export const newId = (prefix: string): string => `${prefix}_${ulid()}`;
