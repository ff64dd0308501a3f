import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type Method = (typeof METHODS)[number];

/** Routes that need no key. */
const PUBLIC = /^\/(health|ready|v1\/webhooks\/|v1\/pay\/)/u;

const ERROR = 'ErrorView';
const nullable = { nullable: true } as const;

/** The one error body: both shapes that published clients know, every key present. */
const errorSchema = {
  type: 'object' as const,
  required: ['success', 'error', 'code', 'message', 'http_status_code', 'details', 'request_id'],
  properties: {
    success: { type: 'boolean', enum: [false] },
    error: {
      type: 'object',
      required: ['message', 'internal_error'],
      properties: { message: { type: 'string' }, internal_error: { type: 'string', ...nullable } },
    },
    code: { type: 'string', description: 'What is wrong, for programs.', example: 'validation_error' },
    message: { type: 'string', description: 'What is wrong, for people.' },
    http_status_code: { type: 'integer' },
    details: { type: 'object', additionalProperties: true, description: 'Such as `field`, or `state` of a 409.' },
    request_id: { type: 'string' },
  },
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description:
    'The same key with the same body is answered as the first time, and nothing happens twice; another body is 409.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const DESCRIPTIONS = {
  400: 'The request can’t be accepted; `details.field` says which field',
  401: 'No valid API key',
  404: 'What is named is not there',
  409: 'It exists already, or its state doesn’t allow this; `details.state`',
  429: 'Too many requests',
  '5XX': 'Something is broken here; a POST can be repeated under its Idempotency-Key',
} as const;
type Status = keyof typeof DESCRIPTIONS;

/** Says of every route how it refuses, and of every POST that writes that it takes an idempotency key. Changes the document. */
export function withWhatAllRoutesShare(document: OpenAPIObject): OpenAPIObject {
  document.components = { ...document.components };
  document.components.schemas = { ...document.components.schemas, [ERROR]: errorSchema };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) describe(operation, path, method);
    }
  }
  return document;
}

function describe(operation: Operation, path: string, method: Method): void {
  const open = PUBLIC.test(path);
  const writes = method !== 'get' && !path.endsWith('/search');
  if (open) operation.security = [];
  if (writes && !open && method === 'post') operation.parameters = [...(operation.parameters ?? []), idempotencyKey];
  for (const status of refusals(path, { open, writes })) {
    operation.responses[status] ??= {
      description: DESCRIPTIONS[status],
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${ERROR}` } } },
    };
  }
}

function refusals(path: string, { open, writes }: { open: boolean; writes: boolean }): Status[] {
  const named = path.includes('{');
  if (open) return named ? [400, 404, '5XX'] : ['5XX'];
  return [400, 401, ...(named || writes ? ([404] as const) : []), ...(writes ? ([409] as const) : []), 429, '5XX'];
}
