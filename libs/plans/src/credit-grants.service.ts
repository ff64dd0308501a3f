import { Decimal } from '@drawdown/billing-core';
import { explainRefusal, newId, pageOptions, Problem, type PageQuery, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { CreditGrant } from './credit-grant.entity.js';
import { expiryOf, stepOf } from './credit-grant.rules.js';
import type { CreateCreditGrantBody, UpdateCreditGrantBody } from './credit-grants.dto.js';
import { endOffer, notEnded, offeredSpan } from './offered-span.js';
import { PlansService } from './plans.service.js';
import { unknownReference } from './reference.js';
import { assertSupported, supportedOwners } from './supported.js';

/** The credits that plans give. */
@Injectable()
export class CreditGrantsService {
  constructor(private readonly plans: PlansService) {}

  /** @throws Problem 400 for a grant that makes no sense or isn't given by this version, 404 for an unknown plan. */
  async create(tx: Tx, body: CreateCreditGrantBody): Promise<CreditGrant> {
    assertSupported('scope', body.scope, supportedOwners);
    if (body.subscription_id) throw Problem.invalid('subscription_id', 'makes no sense in scope PLAN');
    if (!body.plan_id) throw Problem.invalid('plan_id', 'is required in scope PLAN');
    const terms = { ...stepOf(body), ...expiryOf(body), ...offeredSpan(body) };
    const plan = await this.plans.referenced(tx, 'plan_id', body.plan_id);
    const grant = tx.em.create(CreditGrant, {
      id: newId('grant'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      status: 'published',
      planId: plan.id,
      name: body.name,
      cadence: body.cadence,
      credits: new Decimal(body.credits),
      ...terms,
      priority: body.priority ?? null,
      conversionRate: decimalOrNull(body.conversion_rate),
      topupConversionRate: decimalOrNull(body.topup_conversion_rate),
      metadata: body.metadata ?? {},
    });
    await explainRefusal(tx.em.flush(), { credit_grant_live_plan: unknownReference('plan_id', plan.id) });
    return grant;
  }

  /** In any state: an ended grant can still be read. @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<CreditGrant> {
    const grant = await tx.em.findOne(CreditGrant, { environmentId: tx.scope.environmentId, id });
    if (!grant) throw Problem.notFound('credit grant', id);
    return grant;
  }

  /** Those of plans that are given now or will be, in the order they were made. */
  ofPlans(tx: Tx, planIds: readonly string[]): Promise<CreditGrant[]> {
    const { environmentId } = tx.scope;
    return tx.em.find(
      CreditGrant,
      { environmentId, planId: [...planIds], ...notEnded(tx.now) },
      { orderBy: { createdAt: 'asc', id: 'asc' } },
    );
  }

  /** A page of those of a plan that are given now or will be. */
  pageOfPlan(tx: Tx, planId: string, query: PageQuery): Promise<[CreditGrant[], number]> {
    const { environmentId } = tx.scope;
    return tx.em.findAndCount(CreditGrant, { environmentId, planId, ...notEnded(tx.now) }, pageOptions(query));
  }

  /** @throws Problem 404. */
  async update(tx: Tx, id: string, body: UpdateCreditGrantBody): Promise<CreditGrant> {
    const grant = await this.get(tx, id);
    grant.name = body.name ?? grant.name;
    if (body.metadata !== undefined) grant.metadata = body.metadata ?? {};
    grant.updatedAt = tx.now;
    await tx.em.flush();
    return grant;
  }

  /** Ends it, now or at `effectiveDate`; subscriptions keep their copies. @throws Problem 404, 400, 409 (see `endOffer`). */
  async end(tx: Tx, id: string, effectiveDate: string | null | undefined): Promise<void> {
    endOffer(tx, await this.get(tx, id), 'effective_date', effectiveDate);
    await tx.em.flush();
  }
}

const decimalOrNull = (value: string | null | undefined): Decimal | null => (value ? new Decimal(value) : null);
