import { EntityManager } from '@mikro-orm/postgresql';
import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import { realTime } from '../clock/real-time.js';
import { newId } from '../database/new-id.js';
import type { Caller } from '../database/scope.js';
import { ApiKey, type Environment } from './environment.entity.js';

const PREFIX_LENGTH = 12;
/** A key that was revoked is refused by the caller's transaction at once; this only ends its being remembered. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 10_000;

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

interface Remembered {
  readonly caller: Caller;
  /** Real time, ms. */
  readonly until: number;
}

/**
 * Tells whose key it is. What it found is remembered for a while, so that a request costs no query of its own; whether
 * the key still opens the environment is asked by every transaction that works for the caller (`Transactions`).
 */
@Injectable()
export class ApiKeys {
  private readonly remembered = new Map<string, Remembered>();

  constructor(private readonly em: EntityManager) {}

  /** The environment a key opens, or null: unknown, revoked and expired look the same. */
  async open(key: string): Promise<Caller | null> {
    const hash = hashOf(key);
    const known = this.remembered.get(hash);
    if (known && known.until > realTime().getTime()) return known.caller;
    this.remembered.delete(hash);
    const found = await this.em.fork().findOne(ApiKey, { hash, revokedAt: null });
    if (!found || (found.expiresAt && found.expiresAt <= realTime())) return null;
    const caller = { tenantId: found.tenantId, environmentId: found.environmentId, apiKeyId: found.id };
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(hash, { caller, until: realTime().getTime() + REMEMBERED_MS });
    return caller;
  }

  /** Whether the key was ever issued, revoked or not. */
  static async exists(em: EntityManager, key: string): Promise<boolean> {
    return (await em.count(ApiKey, { hash: hashOf(key) })) > 0;
  }

  /** A new key for the environment, 192 random bits; `wanted` instead when the operator chose one. */
  static issue(em: EntityManager, environment: Environment, name: string, wanted?: string): string {
    const kind = environment.type === 'production' ? 'live' : 'test';
    const key = wanted ?? `dd_${kind}_${randomBytes(24).toString('base64url')}`;
    em.create(ApiKey, {
      id: newId('key'),
      tenantId: environment.tenantId,
      environmentId: environment.id,
      name,
      hash: hashOf(key),
      prefix: key.slice(0, PREFIX_LENGTH),
      createdAt: realTime(),
      updatedAt: realTime(),
    });
    return key;
  }
}
