import { expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import fs from 'node:fs';
import path from 'node:path';

const file = path.resolve(import.meta.dirname, '../../../openapi.json');
const { paths, components } = JSON.parse(fs.readFileSync(file, 'utf8')) as OpenAPIObject;
const of = (route: string, method: 'get' | 'post') => paths[route]![method]!;
const refusals = (route: string, method: 'get' | 'post') =>
  Object.keys(of(route, method).responses).filter((status) => !/^[23]/u.test(status));
const headers = (route: string) =>
  (of(route, 'post').parameters ?? []).flatMap((one) => ('name' in one && one.in === 'header' ? [one.name] : []));

it('the document says of every route how it refuses', () => {
  expect(refusals('/v1/plans', 'post')).toEqual(['400', '401', '404', '409', '429', '5XX']);
  expect(refusals('/v1/plans/{id}', 'get')).toEqual(['400', '401', '404', '429', '5XX']);
  expect(refusals('/health', 'get')).toEqual(['5XX']);
});

it('a POST that writes takes an idempotency key, searches and public routes take none', () => {
  expect(headers('/v1/plans')).toEqual(['Idempotency-Key']);
  expect(headers('/v1/invoices/search')).toEqual([]);
  expect(headers('/v1/webhooks/stripe/{tenant_id}/{environment_id}')).not.toContain('Idempotency-Key');
});

it('no view is empty', () => {
  const empty = Object.entries(components!.schemas!).filter(
    ([name, schema]) => name.endsWith('View') && 'type' in schema && Object.keys(schema.properties ?? {}).length === 0,
  );
  expect(empty.map(([name]) => name)).toEqual([]);
});
