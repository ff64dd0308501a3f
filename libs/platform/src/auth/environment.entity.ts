import { defineEntity, p } from '@mikro-orm/core';

const TenantSchema = defineEntity({
  name: 'Tenant',
  tableName: 'tenant',
  properties: {
    id: p.string().primary(),
    name: p.string(),
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
