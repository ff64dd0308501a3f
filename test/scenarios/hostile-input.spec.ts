import { beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import fs from 'node:fs';
import path from 'node:path';
import { startModules, type Modules } from '../support/modules.js';
import { Story } from './story.js';

/** Every operation of the API's document, with bodies and ids nobody sane would send: an answer, never a 500, never a broken invariant. */
interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly fields: readonly string[];
}

const document = JSON.parse(fs.readFileSync(path.resolve(import.meta.dirname, '../../openapi.json'), 'utf8'));

function operations(): Operation[] {
  return Object.entries(document.paths as Record<string, Record<string, OpenApiOperation>>).flatMap(([at, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method as Operation['method'],
      path: at.replace(/^\/v1/, ''),
      fields: fieldsOf(operation),
    })),
  );
}

interface OpenApiOperation {
  requestBody?: { content: Record<string, { schema: { $ref?: string } }> };
}

function fieldsOf(operation: OpenApiOperation): string[] {
  const name = operation.requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1);
  return name ? Object.keys(document.components.schemas[name].properties ?? {}) : [];
}

const hostileText = fc.constantFrom(
  '',
  ' ',
  "'; drop table wallet; --",
  '../../etc/passwd',
  '\u0000',
  '\ud800',
  '🦄'.repeat(50),
  'x'.repeat(5_000),
  'NaN',
  'Infinity',
  '-0',
  '1e400',
  '99999999999999999999999999999999',
  '0.0000000000001',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '-271821-04-20T00:00:00Z',
  '2026-01-01',
  'usd',
  'XXX',
  '__proto__',
  'true',
);
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom(null, true, -1, 0, 1, 1.5, 1e21, Number.MAX_SAFE_INTEGER, -0.1) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([], {}, [[]], [null], { constructor: {} }, JSON.parse('{"__proto__": {"x": 1}}')),
  },
);
const hostileBody = (fields: readonly string[]): fc.Arbitrary<unknown> =>
  fields.length === 0
    ? fc.jsonValue({ maxDepth: 2 })
    : fc.oneof(
        { weight: 5, arbitrary: fc.dictionary(fc.constantFrom(...fields), hostileValue, { maxKeys: fields.length }) },
        { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
      );
const hostileId = fc.constantFrom(
  'x',
  '%00',
  "';--",
  'cust_01M82AMVZ7FJ3347N4BSTQ90CM',
  'a'.repeat(300),
  '%F0%9F%A6%84',
);

const RUNS_PER_OPERATION = Number(process.env.FC_RUNS_HOSTILE ?? 12);
const skipped = new Set(['/clock/advance']);

let modules: Modules;
let realIds: string[];
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z', env: { LOG_LEVEL: 'silent' } });
  const story = new Story(modules);
  await story.defineStarter();
  const buyer = await story.subscribe('target');
  await buyer.enrich(20);
  realIds = [buyer.customerId, buyer.subscriptionId, (await buyer.wallet()).id, ...Object.values(story.starter)];
});

it('gets an answer below 500 (or 501) from every operation', async () => {
  const failures: string[] = [];
  const tried = operations().filter((operation) => !skipped.has(operation.path));
  for (const operation of tried) {
    const id = fc.oneof({ weight: 1, arbitrary: hostileId }, { weight: 1, arbitrary: fc.constantFrom(...realIds) });
    const samples = fc.sample(fc.tuple(hostileBody(operation.fields), id), { numRuns: RUNS_PER_OPERATION });
    for (const [body, chosen] of samples) {
      const at = operation.path.replaceAll(/\{[^}]+\}/g, chosen);
      const { method } = operation;
      const request = method === 'get' ? modules.api.get(at) : modules.api[method](at);
      const answer = await request
        .set('content-type', 'application/json')
        .send(method === 'get' ? undefined : JSON.stringify(body));
      if (answer.status >= 500 && answer.status !== 501) {
        failures.push(
          `${operation.method} ${at} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`.slice(0, 600),
        );
      }
    }
  }
  expect(failures).toEqual([]);
  expect(tried.length).toBeGreaterThan(60);
});
