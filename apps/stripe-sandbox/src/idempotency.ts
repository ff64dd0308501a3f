import { createHash } from 'node:crypto';
import type { Account } from './account.js';
import { ApiError } from './api-error.js';
import type { IdempotentAnswer } from './tables.js';

const LIFE_SECONDS = 24 * 3600;
const LONGEST_KEY = 255;

export interface Keyed {
  key: string;
  endpoint: string;
  fingerprint: string;
}

export function keyed(key: string, endpoint: string, params: unknown): Keyed {
  if (key.length > LONGEST_KEY) {
    throw idempotencyError(400, `Idempotency keys can have at most ${LONGEST_KEY} characters.`);
  }
  return { key, endpoint, fingerprint: createHash('sha256').update(canonical(params)).digest('hex') };
}

/** The remembered answer of a key, if it was used before with the same request; any other request is refused. */
export function recall(account: Account, asked: Keyed): IdempotentAnswer | undefined {
  const known = account.store.get('idempotent_answer', asked.key);
  if (!known || account.clock.now() - known.created >= LIFE_SECONDS) return undefined;
  if (known.endpoint !== asked.endpoint) {
    throw idempotencyError(
      400,
      `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${known.endpoint}', not ` +
        `'${asked.endpoint}'). Try using a key other than '${asked.key}' if you meant to execute a different request.`,
    );
  }
  if (known.fingerprint !== asked.fingerprint) {
    throw idempotencyError(
      400,
      'Keys for idempotent requests can only be used with the same parameters they were first used with. ' +
        `Try using a key other than '${asked.key}' if you meant to execute a different request.`,
    );
  }
  return known;
}

/** Part of the unit that holds the effects: both are kept, or neither. */
export function remember(account: Account, asked: Keyed, answer: { status: number; body: string }): void {
  const { key: id, endpoint, fingerprint } = asked;
  account.store.put('idempotent_answer', { id, endpoint, fingerprint, created: account.clock.now(), ...answer });
}

export function keyInUse(key: string): ApiError {
  return new ApiError(
    409,
    {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
      message:
        'There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, ' +
        `and the other request is still going through): ${key}. Please try again later.`,
    },
    { beforeExecution: true, shouldRetry: true },
  );
}

function idempotencyError(status: number, message: string): ApiError {
  return new ApiError(status, { type: 'idempotency_error', message }, { beforeExecution: true });
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
}
