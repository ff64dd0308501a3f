import { EntityManager } from '@mikro-orm/postgresql';
import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import { realTime } from '../clock/real-time.js';
import { newId } from '../database/new-id.js';
import type { Scope } from '../database/scope.js';
import { ApiKey, type Environment } from './environment.entity.js';

const PREFIX_LENGTH = 12;

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

@Injectable()
export class ApiKeys {
  constructor(private readonly em: EntityManager) {}

  /** The environment a key opens, or null: unknown, revoked and expired look the same. */
  async open(key: string): Promise<Scope | null> {
    const found = await this.em.fork().findOne(ApiKey, { hash: hashOf(key), revokedAt: null });
    if (!found || (found.expiresAt && found.expiresAt <= realTime())) return null;
    return { tenantId: found.tenantId, environmentId: found.environmentId };
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
