import Type from 'typebox';

/** The declaration of an event: its name, its validation and (through the schema) its type. */
export interface EventDefinition<Payload extends Type.TSchema = Type.TSchema> {
  readonly name: `${string}.${string}`;
  readonly payload: Payload;
  readonly description: string;
}

export type PayloadOf<D> = D extends EventDefinition<infer P> ? Type.Static<P> : never;

/** What every subscriber learns beside the payload. `at` is the environment's time, `seq` the order of publication. */
export interface EventEnvelope {
  readonly id: string;
  readonly name: string;
  readonly at: Date;
  readonly tenantId: string;
  readonly environmentId: string;
}

/** Declares an event `noun.past_participle`. The sentence stands in the event catalogue. */
export function defineEvent<const Fields extends Type.TProperties>(
  name: `${string}.${string}`,
  description: string,
  fields: Fields,
): EventDefinition<Type.TObject<Fields>> {
  return { name, description, payload: Type.Object(fields, { additionalProperties: false }) };
}

/** Shapes that payloads share. */
export const Id = Type.String({ minLength: 1 });
/** An instant, RFC 3339 in UTC. */
export const Instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$' });
/** An exact decimal as text. */
export const Amount = Type.String({ pattern: '^-?\\d+(\\.\\d+)?$' });
export const Currency = Type.String({ pattern: '^[a-z]{3}$' });
export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
