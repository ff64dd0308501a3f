import Type from 'typebox';
import { Compile } from 'typebox/compile';

const Port = Type.Integer({ minimum: 0, maximum: 65535 });

/** Every environment variable the server reads: name, shape, default. Nothing else reads the environment. */
const SettingsSchema = Type.Object({
  PORT: { ...Port, default: 3000 },
  HOST: Type.String({ minLength: 1, default: '127.0.0.1' }),
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://.+' })),
  DATABASE_POOL_SIZE: Type.Integer({ minimum: 3, maximum: 200, default: 10 }),
  EMBEDDED_PG_DIR: Type.String({ minLength: 1, default: '.data/postgres' }),
  EMBEDDED_PG_PORT: { ...Port, default: 5432 },
  STRIPE_SECRET_KEY: Type.Optional(Type.String({ pattern: '^(sk|rk)_(test|live)_[A-Za-z0-9_]+$' })),
  STRIPE_WEBHOOK_SECRET: Type.Optional(Type.String({ pattern: '^whsec_[^,\\s]+(,whsec_[^,\\s]+)?$' })),
  STRIPE_API_BASE: Type.Optional(Type.String({ pattern: '^https?://[^/\\s]+/?$' })),
  STRIPE_SANDBOX_PORT: { ...Port, default: 12111 },
  STRIPE_SANDBOX_DIR: Type.String({ minLength: 1, default: '.data/stripe-sandbox' }),
  PUBLIC_URL: Type.Optional(Type.String({ pattern: '^https?://\\S+$' })),
  BOOTSTRAP_API_KEY: Type.Optional(Type.String({ pattern: '^\\S{16,128}$' })),
  ROLE: Type.Enum(['all', 'api', 'worker'], { default: 'all' }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
});

export type Settings = Readonly<Type.Static<typeof SettingsSchema>>;

/** What a person is told when a variable is wrong; the value itself is never repeated (it may be a secret). */
const expectations: Record<string, string> = {
  PORT: 'a port number from 0 to 65535',
  HOST: 'a host name or address to listen on',
  DATABASE_URL: 'a postgresql:// address',
  DATABASE_POOL_SIZE: 'a number of connections from 3 to 200',
  EMBEDDED_PG_DIR: 'a folder',
  EMBEDDED_PG_PORT: 'a port number from 0 to 65535',
  STRIPE_SECRET_KEY: 'a Stripe secret key (sk_test_…, sk_live_…)',
  STRIPE_WEBHOOK_SECRET: 'a Stripe signing secret (whsec_…), or two separated by a comma while one is rolled',
  STRIPE_API_BASE: 'an http(s) address without a path',
  STRIPE_SANDBOX_PORT: 'a port number from 0 to 65535',
  STRIPE_SANDBOX_DIR: 'a folder',
  PUBLIC_URL: 'the http(s) address under which customers reach this server',
  BOOTSTRAP_API_KEY: '16 to 128 characters without spaces',
  ROLE: 'all, api or worker',
  LOG_LEVEL: 'fatal, error, warn, info, debug, trace or silent',
};

export class InvalidSettings extends Error {}

const compiled = Compile(SettingsSchema);

/**
 * Reads the settings from environment variables; an empty variable counts as not set.
 * @throws InvalidSettings with one line that names the variable.
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const found: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(SettingsSchema.properties)) {
    const raw = env[name]?.trim();
    const property = schema as { type?: string; default?: unknown };
    if (raw === undefined || raw === '') {
      if (property.default !== undefined) found[name] = property.default;
    } else {
      found[name] = property.type === 'integer' && /^\d+$/.test(raw) ? Number(raw) : raw;
    }
  }
  const [error] = compiled.Errors(found);
  if (error) {
    const name = error.instancePath.slice(1);
    throw new InvalidSettings(`${name} must be ${expectations[name] ?? error.message}`);
  }
  const settings = found as unknown as Settings;
  if (settings.STRIPE_SECRET_KEY?.includes('_live_') && !settings.STRIPE_WEBHOOK_SECRET) {
    throw new InvalidSettings('STRIPE_WEBHOOK_SECRET must be set when STRIPE_SECRET_KEY is a live key');
  }
  if (settings.STRIPE_API_BASE && !settings.STRIPE_SECRET_KEY) {
    throw new InvalidSettings('STRIPE_SECRET_KEY must be set when STRIPE_API_BASE is');
  }
  return settings;
}

/** Injection token of the validated settings. */
export const SETTINGS = Symbol('settings');
