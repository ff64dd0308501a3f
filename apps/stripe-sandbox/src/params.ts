import type Stripe from 'stripe';
import { invalidParameter } from './api-error.js';

/** Reads one parameter as it came from the form (strings, arrays, objects) or refuses it, naming it. */
export interface Rule<T> {
  read(value: unknown, param: string): T;
}
interface RequiredRule<T> extends Rule<T> {
  required: true;
}
interface Unsupported {
  unsupported: true;
}

/**
 * One entry for each parameter of a `stripe` parameter type: a rule of the same type, or `unsupported`.
 * A parameter that the package adds or drops is a compile error here.
 */
export type Shape<P> = {
  [K in keyof P]-?: (undefined extends P[K] ? Rule<P[K]> : RequiredRule<P[K]>) | Unsupported;
};

type Words<S extends string> = S extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : S;

/** Real parameters that the sandbox refuses to pretend to know. */
export function unsupported<S extends string>(...names: S[]): Record<Words<S>, Unsupported> {
  const entries = names.flatMap((some) => some.split(' ')).map((name) => [name, { unsupported: true }]);
  return Object.fromEntries(entries) as Record<Words<S>, Unsupported>;
}

export function required<T>(rule: Rule<T>): RequiredRule<T> {
  return { ...rule, required: true };
}

export function readParams<P>(shape: Shape<P>, given: Record<string, unknown>, within = ''): P {
  const name = (key: string) => (within ? `${within}[${key}]` : key);
  const rules = new Map<string, Rule<unknown> | Unsupported>(Object.entries(shape));
  for (const key of Object.keys(given)) {
    const rule = rules.get(key);
    if (!rule) throw invalidParameter(`Received unknown parameter: ${name(key)}`, name(key), 'parameter_unknown');
    if ('unsupported' in rule) throw invalidParameter(`${name(key)} is not supported by the sandbox`, name(key));
  }
  const params: Record<string, unknown> = {};
  for (const [key, rule] of rules) {
    if ('unsupported' in rule) continue;
    if (key in given) params[key] = rule.read(given[key], name(key));
    if ('required' in rule) refuseMissing(params[key], name(key));
  }
  return params as P;
}

function refuseMissing(value: unknown, param: string): void {
  if (value === undefined) throw invalidParameter(`Missing required param: ${param}.`, param, 'parameter_missing');
  if (value === '')
    throw invalidParameter(`You passed an empty string for '${param}'.`, param, 'parameter_invalid_empty');
}

/** Text; the empty string unsets it. */
export function text<T extends string = string>({ max = 5000 } = {}): Rule<T> {
  return {
    read(value, param) {
      if (typeof value !== 'string') throw invalidParameter(`Invalid string: ${JSON.stringify(value)}`, param);
      if (value.includes('\0')) throw invalidParameter('Invalid string: null character', param, 'invalid_characters');
      if (value.length > max) throw invalidParameter(`Invalid string: must be at most ${max} characters`, param);
      return value as T;
    },
  };
}

export function oneOf<const V extends string>(...values: V[]): Rule<V> {
  return {
    read(value, param) {
      const found = values.find((one) => one === value);
      if (found === undefined) throw invalidParameter(`Invalid ${param}: must be one of ${values.join(', ')}`, param);
      return found;
    },
  };
}

export function integer({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = {}): Rule<number> {
  return {
    read(value, param) {
      const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (Number.isNaN(number)) {
        throw invalidParameter(`Invalid integer: ${String(value)}`, param, 'parameter_invalid_integer');
      }
      if (number < min || number > max) {
        const bound = number < min ? `greater than or equal to ${min}` : `less than or equal to ${max}`;
        throw invalidParameter(`Invalid integer: this value must be ${bound}.`, param, 'parameter_invalid_integer');
      }
      return number;
    },
  };
}

export function flag(): Rule<boolean> {
  return {
    read(value, param) {
      if (value !== 'true' && value !== 'false') throw invalidParameter(`Invalid boolean: ${String(value)}`, param);
      return value === 'true';
    },
  };
}

export function list<T>(item: Rule<T>): Rule<T[]> {
  return {
    read(value, param) {
      if (!Array.isArray(value)) throw invalidParameter('Invalid array', param);
      return value.map((one, index) => item.read(one, `${param}[${index}]`));
    },
  };
}

export function object<P>(shape: Shape<P>): Rule<P> {
  return {
    read: (value, param) => readParams(shape, record(value, param), param),
  };
}

const METADATA_LIMIT = { keys: 50, key: 40, value: 500 };

export function metadata(): Rule<Stripe.MetadataParam> {
  return {
    read(value, param) {
      if (value === '') return {};
      return readMetadata(record(value, param), param);
    },
  };
}

/** Metadata of an existing object: a given key is set, an empty value unsets it, an empty string unsets all. */
export function metadataPatch(): Rule<Stripe.Emptyable<Stripe.MetadataParam>> {
  return { read: (value, param) => (value === '' ? '' : readMetadata(record(value, param), param)) };
}

function readMetadata(given: Record<string, unknown>, param: string): Record<string, string> {
  const entries = Object.entries(given);
  if (entries.length > METADATA_LIMIT.keys) throw invalidParameter('Metadata can have up to 50 keys.', param);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      if (key.length > METADATA_LIMIT.key) throw invalidParameter('Metadata keys have up to 40 characters.', param);
      return [key, text({ max: METADATA_LIMIT.value }).read(value, `${param}[${key}]`)];
    }),
  );
}

function record(value: unknown, param: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidParameter('Invalid object', param);
  return value as Record<string, unknown>;
}

/** `created=…` or `created[gte]=…`. */
export function instants(): Rule<number | Stripe.RangeQueryParam> {
  const range = object<Stripe.RangeQueryParam>({ gt: integer(), gte: integer(), lt: integer(), lte: integer() });
  return {
    read: (value, param) => (typeof value === 'string' ? integer().read(value, param) : range.read(value, param)),
  };
}

export const expand = { expand: list(text()) };

export const pagination = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: text(),
  ending_before: text(),
  ...expand,
};

export const url = (): Rule<string> => ({
  read(value, param) {
    const given = text().read(value, param);
    const scheme = URL.canParse(given) && !/[\s\p{Cc}]/u.test(given) ? new URL(given).protocol : '';
    if (scheme !== 'http:' && scheme !== 'https:') throw invalidParameter('Not a valid URL', param, 'url_invalid');
    return given;
  },
});

export function newMetadata(given: Stripe.Emptyable<Stripe.MetadataParam> | undefined): Stripe.Metadata {
  return patchMetadata({}, given);
}

export function patchMetadata(
  current: Stripe.Metadata | null,
  patch: Stripe.Emptyable<Stripe.MetadataParam> | undefined,
): Stripe.Metadata {
  if (patch === '') return {};
  const next = { ...current };
  for (const [key, value] of Object.entries(patch ?? {})) {
    if (value === '' || value === null) delete next[key];
    else next[key] = String(value);
  }
  return next;
}
