import type Stripe from 'stripe';
import type { Account } from './account.js';
import { invalidParameter } from './api-error.js';

type Test = (intent: Stripe.PaymentIntent) => boolean;

const CLAUSE = /^(-?)(?:metadata\[(['"])(.+?)\2\]|(\w+))\s*(:|~|>=|<=|>|<)\s*(null|-?\d+|(["'])(.*?)\7)(?=\s|$)/;
const FIELDS = new Set(['amount', 'created', 'currency', 'customer', 'status']);

/** `status:"succeeded" AND metadata["attempt_id"]:"…"`: clauses joined by AND or by OR, not both. */
export function searchIntents(account: Account, wanted: Stripe.PaymentIntentSearchParams): object {
  const { tests, every } = parse(wanted.query);
  const found = account.store
    .all('payment_intent')
    .filter((intent) => (every ? tests.every((test) => test(intent)) : tests.some((test) => test(intent))))
    .reverse();
  const limit = wanted.limit ?? 10;
  const start = wanted.page ? found.findIndex((intent) => intent.id === wanted.page) + 1 : 0;
  const data = found.slice(start, start + limit);
  const more = start + limit < found.length;
  return {
    object: 'search_result',
    url: '/v1/payment_intents/search',
    has_more: more,
    data,
    next_page: more ? (data.at(-1)?.id ?? null) : null,
  };
}

function parse(query: string): { tests: Test[]; every: boolean } {
  const tests: Test[] = [];
  const joints = new Set<string>();
  let rest = query.trim();
  for (;;) {
    const clause = CLAUSE.exec(rest);
    if (!clause) throw unparsable(query);
    tests.push(testOf(clause, query));
    rest = rest.slice(clause[0].length).trim();
    if (rest === '') break;
    const joint = /^(AND|OR)\s+/i.exec(rest) ?? /^()(?=\S)/.exec(rest);
    if (!joint) throw unparsable(query);
    joints.add((joint[1] || 'AND').toUpperCase());
    rest = rest.slice(joint[0].length);
  }
  if (joints.size > 1) throw unparsable(query);
  return { tests, every: !joints.has('OR') };
}

function testOf(clause: RegExpExecArray, query: string): Test {
  const [, negated, , key, field = '', operator = ':', literal = '', , quoted] = clause;
  if (key === undefined && !FIELDS.has(field)) throw unparsable(query);
  const wanted = quoted ?? (literal === 'null' ? null : literal);
  const test: Test = (intent) => {
    const value = key === undefined ? intent[field as 'status' | 'amount'] : (intent.metadata[key] ?? null);
    return compare(value, operator, wanted);
  };
  return negated ? (intent) => !test(intent) : test;
}

function compare(value: string | number | null, operator: string, wanted: string | null): boolean {
  if (operator === ':') return wanted === null ? value === null : value !== null && String(value) === wanted;
  if (operator === '~') return String(value ?? '').includes(wanted ?? '');
  const [left, right] = [Number(value), Number(wanted)];
  if (operator === '>') return left > right;
  if (operator === '<') return left < right;
  return operator === '>=' ? left >= right : left <= right;
}

function unparsable(query: string) {
  return invalidParameter(`We were unable to parse your search query: ${query}`, 'query');
}
