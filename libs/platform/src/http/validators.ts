import { isCurrency, isZone, parseDecimal, text } from '@drawdown/billing-core';
import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { type ClassConstructor, plainToInstance, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsObject,
  IsString,
  Length,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationOptions,
} from 'class-validator';

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/;

export function isInstant(value: unknown): value is string {
  const parts = typeof value === 'string' ? RFC3339.exec(value) : null;
  if (!parts) return false;
  // 30 February would roll over into March.
  const [year, month, day] = parts.slice(1, 4).map(Number) as [number, number, number];
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return false;
  const at = new Date(value as string);
  return !Number.isNaN(at.getTime()) && at.getUTCFullYear() >= 1970 && at.getUTCFullYear() <= 9998;
}

/** A decimal amount given as text or number, handed on as exact text. Bounds are inclusive decimals as text. */
export function IsAmount(bounds: { min?: string; above?: string; max?: string } = {}): PropertyDecorator {
  const accepts = (value: unknown): boolean => {
    const decimal = parseDecimal(value);
    if (decimal === null) return false;
    if (bounds.min !== undefined && decimal.lt(bounds.min)) return false;
    if (bounds.above !== undefined && decimal.lte(bounds.above)) return false;
    return bounds.max === undefined || decimal.lte(bounds.max);
  };
  const range = [
    bounds.above === undefined ? '' : ` above ${bounds.above}`,
    bounds.min === undefined ? '' : ` of at least ${bounds.min}`,
    bounds.max === undefined ? '' : ` of at most ${bounds.max}`,
  ].join('');
  return applyDecorators(
    ApiProperty({ type: String, format: 'decimal' }),
    Transform(({ value }) => {
      const decimal = parseDecimal(value);
      return decimal === null ? value : text(decimal);
    }),
    ValidateBy({
      name: 'isAmount',
      validator: {
        validate: accepts,
        defaultMessage: () =>
          `$property must be a plain decimal${range} with at most 26 digits before and 12 after the point`,
      },
    }),
  );
}

/** An instant, RFC 3339 with an offset. */
export const IsInstant = (options?: ValidationOptions): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: String, format: 'date-time' }),
    ValidateBy(
      {
        name: 'isInstant',
        validator: {
          validate: isInstant,
          defaultMessage: () => '$property must be a date and time with an offset, such as 2026-01-31T09:00:00Z',
        },
      },
      options,
    ),
  );

/** An ISO 4217 code, handed on in lower case. */
export const IsCurrency = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: String, example: 'usd' }),
    Transform(({ value }) => (typeof value === 'string' ? value.toLowerCase() : value)),
    ValidateBy({
      name: 'isCurrency',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isCurrency(value),
        defaultMessage: () => '$property must be an ISO 4217 currency code',
      },
    }),
  );

/** An IANA time zone such as `Europe/Berlin`. */
export const IsZone = (): PropertyDecorator =>
  ValidateBy({
    name: 'isZone',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isZone(value),
      defaultMessage: () => '$property must be an IANA time zone such as Europe/Berlin',
    },
  });

/** Names to text values, as the wire's `metadata`: at most 50 keys of 40 characters, values of 500. */
export const IsMetadata = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: 'object', additionalProperties: { type: 'string' } }),
    ValidateBy({
      name: 'isMetadata',
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          Object.keys(value).length <= 50 &&
          Object.entries(value).every(([k, v]) => k.length <= 40 && typeof v === 'string' && v.length <= 500),
        defaultMessage: () => '$property must map at most 50 names (40 characters) to text (500 characters)',
      },
    }),
  );

/** The field may be left out or null; anything else must be valid. */
export const Optional = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ nullable: true }),
    ValidateIf((_, value) => value !== undefined && value !== null),
  );

/** A whole number within inclusive bounds, given as a number or as digits; handed on as a number. A count, never an amount. */
export function IsWhole({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) {
  return applyDecorators(
    ApiProperty({ type: 'integer', minimum: min, maximum: max }),
    Transform(({ value }) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value)),
    ValidateBy({
      name: 'isWhole',
      validator: {
        validate: (value: unknown) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
        defaultMessage: () => `$property must be a whole number from ${min} to ${max}`,
      },
    }),
  );
}

/** An object of a declared shape; unlike `@ValidateNested()` alone it lets no list pass. */
export const Part = (shape: () => Class): PropertyDecorator =>
  applyDecorators(ApiProperty({ type: () => shape() }), IsObject(), ValidateNested(), Type(shape));

/** A list of objects of a declared shape; unlike `@ValidateNested()` alone it lets no null stand in it. */
export const Parts = (shape: () => Class, { min = 0, max }: { min?: number; max: number }): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: () => shape(), isArray: true }),
    IsArray(),
    ArrayMinSize(min),
    ArrayMaxSize(max),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
    Type(shape),
  );

/**
 * Objects of a declared shape by name, handed on as a `Map`; each is refused by its own path. The controller declares the
 * shape by `@ApiExtraModels`, as Swagger doesn't look into maps.
 */
export const PartsByName = (shape: () => Class, { max }: { max: number }): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: 'object', additionalProperties: { $ref: getSchemaPath(shape()) } }),
    // The whole as it came: class-transformer leaves out names that are members of every object.
    Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) =>
      isPlainObject(obj[key])
        ? new Map(
            Object.entries(obj[key]).map(([name, part]) => [
              name,
              isPlainObject(part) ? plainToInstance(shape() as ClassConstructor<object>, part) : part,
            ]),
          )
        : obj[key],
    ),
    ValidateBy({
      name: 'isPartsByName',
      validator: {
        validate: (value: unknown) =>
          value instanceof Map && value.size <= max && [...value.values()].every((part) => part instanceof shape()),
        defaultMessage: () => `$property must map at most ${max} names to objects`,
      },
    }),
    ValidateNested(),
  );

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list of texts (ids, keys, values), each of 1 to 255 characters. */
export const IsTexts = ({ min = 0, max = 1000 }: { min?: number; max?: number } = {}): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: [String] }),
    IsArray(),
    ArrayMinSize(min),
    ArrayMaxSize(max),
    IsString({ each: true }),
    Length(1, 255, { each: true }),
  );

/** A text of 1 to `max` characters. */
export const IsText = (max = 255): PropertyDecorator => applyDecorators(IsString(), Length(1, max));

export const NOT_YET = 'notYet';

/**
 * A field the wire declares and this version doesn't do: only what says nothing (null, false, 0, nothing inside) passes,
 * and the values that are done already.
 */
export const NotYet = (done: readonly string[] = []): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      nullable: true,
      description: `Not supported yet: refused unless ${[...done, 'empty'].join(' or ')}`,
    }),
    ValidateBy({
      name: NOT_YET,
      validator: {
        validate: (value: unknown) =>
          !value ||
          value === '0' ||
          (typeof value === 'object' && Object.values(value).every((part) => !part)) ||
          done.includes(value as string),
        defaultMessage: () =>
          done.length === 0 ? '$property is not supported yet' : `$property is supported only as ${done.join(' or ')}`,
      },
    }),
  );
