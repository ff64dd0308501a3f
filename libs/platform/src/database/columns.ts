import { Decimal } from '@drawdown/billing-core';
import { p, Type } from '@mikro-orm/core';

/** A `numeric(38,12)` column that is a Decimal in code: no JavaScript number ever holds an amount. */
class AmountType extends Type<Decimal, string> {
  override convertToDatabaseValue(value: Decimal | null): string {
    return value === null || value === undefined ? (value as never) : value.toFixed();
  }
  override convertToJSValue(value: string | Decimal | null): Decimal {
    return value === null || value === undefined ? (value as never) : new Decimal(value as Decimal.Value);
  }
  override getColumnType(): string {
    return 'numeric(38,12)';
  }
  override compareAsType(): string {
    return 'string';
  }
  /** What the property holds; by default the ORM takes it for the text it is compared as, and `assign` refuses a Decimal. */
  override get runtimeType(): string {
    return 'Decimal';
  }
}

/** An exact decimal amount (money, credits, rate or quantity), `numeric(38,12)`. */
export const amount = () => p.type(AmountType).$type<Decimal, string>();

/** The columns of every owned row. `createdAt` and `updatedAt` go by the environment's clock. */
export const owned = {
  id: p.string().primary(),
  tenantId: p.string(),
  environmentId: p.string(),
  createdAt: p.datetime(),
  updatedAt: p.datetime(),
};

/** The life of a record of the catalogue: deleting archives it, so that what happened under it can still be read. */
export const recordStatuses = ['published', 'archived'] as const;
export type RecordStatus = (typeof recordStatuses)[number];

/** The columns of an owned row that can be archived. */
export const archivable = { ...owned, status: p.enum(recordStatuses) };
