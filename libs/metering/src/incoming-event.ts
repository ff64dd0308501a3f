import { isInstant, Problem } from '@drawdown/platform';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { UnbilledReason } from './usage-event.entity.js';

/** An event as it was reported; what was left out is null. */
export interface IncomingEvent {
  readonly event_id: string | null;
  readonly event_name: string;
  readonly customer_id: string | null;
  readonly external_customer_id: string | null;
  readonly timestamp: string | null;
  readonly source: string | null;
  readonly properties: Readonly<Record<string, string | number | boolean>>;
}

export interface IngestResult {
  readonly event_id: string;
  readonly status: 'accepted' | 'duplicate';
  /** By this request: 0 for a duplicate, below zero for a correction that returned credits. */
  readonly credits_burned: string;
  /** A duplicate whose content is another than the stored one; that one stays. */
  readonly differs: boolean;
  /** Why an accepted event was not billed; null when it was. */
  readonly reason: UnbilledReason | null;
}

/** Events of one request: all of them are taken, or none. `path` stands before a field's name in its problems. */
export interface IngestRequest {
  readonly events: readonly IncomingEvent[];
  readonly path: (index: number) => string;
}

export const MAX_BULK_EVENTS = 1000;
const MAX_NAME_BYTES = 255;
const MAX_PROPERTIES = 100;
const MAX_PROPERTY_BYTES = 4096;

const name = { type: 'string', minLength: 1, maxBytes: MAX_NAME_BYTES };
const optionalName = { type: ['string', 'null'], minLength: 1, maxBytes: MAX_NAME_BYTES };

const eventSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['event_name'],
  properties: {
    event_id: optionalName,
    event_name: name,
    customer_id: optionalName,
    external_customer_id: optionalName,
    timestamp: { type: ['string', 'null'], format: 'instant' },
    source: { type: ['string', 'null'], maxBytes: MAX_NAME_BYTES },
    properties: {
      type: ['object', 'null'],
      maxProperties: MAX_PROPERTIES,
      propertyNames: { maxBytes: MAX_NAME_BYTES },
      additionalProperties: { type: ['string', 'number', 'boolean'], maxBytes: MAX_PROPERTY_BYTES },
    },
  },
};

const ajv = new Ajv({ allowUnionTypes: true, strictTypes: false });
ajv.addFormat('instant', isInstant);
ajv.addKeyword({
  keyword: 'maxBytes',
  type: 'string',
  schemaType: 'number',
  compile: (limit: number) => (value: string) => value.length * 3 <= limit || Buffer.byteLength(value) <= limit,
});

const validateEvent = ajv.compile<Partial<IncomingEvent>>(eventSchema);
const validateBulk = ajv.compile<{ events: Partial<IncomingEvent>[] }>({
  type: 'object',
  additionalProperties: false,
  required: ['events'],
  properties: { events: { type: 'array', minItems: 1, maxItems: MAX_BULK_EVENTS, items: eventSchema } },
});

/** Whether a value can be the properties of an event. */
export const isProperties: (value: unknown) => boolean = ajv.compile(eventSchema.properties.properties);

/** @throws Problem 400 naming the first bad field. */
export function parseEvent(body: unknown): IncomingEvent {
  return complete(accepted(validateEvent, body), '');
}

/** All of them or none. @throws Problem 400 naming the first bad field with its index, as `events[3].timestamp`. */
export function parseBulk(body: unknown): IncomingEvent[] {
  return accepted(validateBulk, body).events.map((event, index) => complete(event, eventPath(index)));
}

/** What stands before a field of the event at this place of a bulk request. */
export const eventPath = (index: number): string => `events[${index}].`;

function accepted<T>(validate: ValidateFunction<T>, body: unknown): T {
  if (validate(body)) return body;
  throw problemOf(validate.errors![0]!);
}

function complete(event: Partial<IncomingEvent>, path: string): IncomingEvent {
  if (!event.customer_id && !event.external_customer_id) {
    throw Problem.invalid(`${path}external_customer_id`, 'or customer_id is required');
  }
  return {
    event_id: event.event_id ?? null,
    event_name: event.event_name!,
    customer_id: event.customer_id ?? null,
    external_customer_id: event.external_customer_id ?? null,
    timestamp: event.timestamp ?? null,
    source: event.source ?? null,
    properties: event.properties ?? {},
  };
}

function problemOf({ instancePath, keyword, params, message, propertyName }: ErrorObject): Problem {
  const path = fieldPath(instancePath);
  const inside = (key: string) => (path === '' ? key : `${path}.${key}`);
  switch (keyword) {
    case 'additionalProperties':
      return Problem.invalid(inside(String(params.additionalProperty)), 'is not a known field');
    case 'required':
      return Problem.invalid(inside(String(params.missingProperty)), 'is required');
    case 'format':
      return Problem.invalid(path, 'must be a date and time with an offset, such as 2026-01-31T09:00:00Z');
    case 'maxBytes': {
      const limit = path.includes('properties.') ? MAX_PROPERTY_BYTES : MAX_NAME_BYTES;
      return Problem.invalid(propertyName ? inside('(name)') : path, `must have at most ${limit} bytes`);
    }
    default:
      return Problem.invalid(path || 'body', message ?? 'is not valid');
  }
}

/** `/events/3/properties/rows` as `events[3].properties.rows`. */
function fieldPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part, place) => {
      if (place === 1 && path === 'events') return `${path}[${part}]`;
      return path === '' ? part : `${path}.${part}`;
    }, '');
}
