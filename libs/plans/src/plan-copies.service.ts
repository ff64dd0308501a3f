import { newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { CreditGrant } from './credit-grant.entity.js';
import { Entitlement } from './entitlement.entity.js';
import { notEnded } from './offered-span.js';
import type { Plan } from './plan.entity.js';
import type { ClonePlanBody } from './plans.dto.js';
import { PlansService } from './plans.service.js';
import { Price } from './price.entity.js';

/** New plans made of old ones. */
@Injectable()
export class PlanCopies {
  constructor(private readonly plans: PlansService) {}

  /**
   * A plan of its own with all that the old one offers now or will: prices as first versions, entitlements, grants. Lookup
   * keys are unique, so the copies have none. @throws Problem 404, 409 for a lookup key in use.
   */
  async clone(tx: Tx, id: string, body: ClonePlanBody): Promise<Plan> {
    const old = await this.plans.published(tx, id);
    const plan = await this.plans.create(tx, {
      name: body.name ?? `${old.name} (copy)`.slice(0, 255),
      lookup_key: body.lookup_key ?? null,
      description: body.description ?? old.description ?? null,
      display_order: body.display_order ?? old.displayOrder ?? null,
      metadata: body.metadata ?? old.metadata,
    });
    const ofPlan = { environmentId: tx.scope.environmentId, planId: id };
    const inOrder = { orderBy: { createdAt: 'asc', id: 'asc' } } as const;
    const fresh = (prefix: string) => ({ id: newId(prefix), planId: plan.id, createdAt: tx.now, updatedAt: tx.now });
    const version = { lookupKey: null, parentPriceId: null, superseded: false };
    for (const price of await tx.em.find(Price, { ...ofPlan, ...notEnded(tx.now) }, inOrder)) {
      tx.em.create(Price, Object.assign({}, price, fresh('price'), version));
    }
    for (const entitlement of await tx.em.find(Entitlement, { ...ofPlan, status: 'published' }, inOrder)) {
      tx.em.create(Entitlement, Object.assign({}, entitlement, fresh('ent')));
    }
    for (const grant of await tx.em.find(CreditGrant, { ...ofPlan, ...notEnded(tx.now) }, inOrder)) {
      tx.em.create(CreditGrant, Object.assign({}, grant, fresh('grant')));
    }
    await tx.em.flush();
    return plan;
  }
}
