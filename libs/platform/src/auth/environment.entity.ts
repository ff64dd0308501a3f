import { defineEntity, p } from '@mikro-orm/core';

/** As it stands on an invoice; parts that are not known are null. */
export interface BillingDetails {
  readonly email: string | null;
  readonly helpEmail: string | null;
  readonly phone: string | null;
  readonly address: {
    readonly line1: string | null;
    readonly line2: string | null;
    readonly city: string | null;
    readonly state: string | null;
    readonly postalCode: string | null;
    /** ISO 3166-1 code of two letters. */
    readonly country: string | null;
  };
}

const TenantSchema = defineEntity({
  name: 'Tenant',
  tableName: 'tenant',
  properties: {
    id: p.string().primary(),
    name: p.string(),
    /** Null until somebody says them. */
    billingDetails: p.json<BillingDetails>().nullable(),
    metadata: p.json<Record<string, string>>(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A company that uses Drawdown. */
export class Tenant extends TenantSchema.class {}
TenantSchema.setClass(Tenant);

const EnvironmentSchema = defineEntity({
  name: 'Environment',
  tableName: 'environment',
  properties: {
    id: p.string().primary(),
    tenantId: p.string(),
    name: p.string(),
    type: p.enum(['development', 'production'] as const),
    /** Null while the clock is real time. */
    clockAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A world of its own inside a tenant: its data, its keys, its clock. */
export class Environment extends EnvironmentSchema.class {}
EnvironmentSchema.setClass(Environment);

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.string().primary(),
    tenantId: p.string(),
    environmentId: p.string(),
    name: p.string(),
    /** SHA-256 of the key; the key itself is shown once and never stored. */
    hash: p.string(),
    /** The first characters, to tell keys apart. */
    prefix: p.string(),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** Opens one environment to its holder. Ages by real time, not by the environment's clock. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
