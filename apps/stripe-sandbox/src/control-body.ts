import type { Cause } from './store.js';

export const BY_CONTROL: Cause = { by: 'control' };

type Property = Record<string, unknown>;

/** The JSON Schema of a control request: a field it does not name is refused, so that a typo cannot pass for an order. */
export function accepts(properties: Record<string, Property>, ...required: string[]) {
  return { schema: { body: { type: 'object', additionalProperties: false, properties, required } } };
}

export const text = { type: 'string' };
export const count = { type: 'integer', minimum: 1 };
export const oneOf = (...values: readonly string[]): Property => ({ type: 'string', enum: values });

export interface Named {
  Params: { id: string };
}
