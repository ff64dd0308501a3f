import { DEFAULT_DUNNING_DAYS } from '@drawdown/billing-core';
import { newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { DunningPolicy, type DunningEnding } from './dunning.entity.js';

export interface DunningRules {
  /** Whole days after the decline or the due date, ascending. */
  readonly retryDays: readonly number[];
  readonly ending: DunningEnding;
}

/** MEANING "Credits bought, and unpaid bills": "its default end is to stay there". */
const DEFAULT_RULES: DunningRules = { retryDays: DEFAULT_DUNNING_DAYS, ending: 'keep' };

/** How the environment duns. What is being dunned already goes on by the rules it began with. */
@Injectable()
export class DunningPolicies {
  async get(tx: Tx): Promise<DunningRules> {
    return (await this.stored(tx)) ?? DEFAULT_RULES;
  }

  async set(tx: Tx, rules: DunningRules): Promise<DunningRules> {
    const days = [...new Set(rules.retryDays)].toSorted((a, b) => a - b);
    const stored = await this.stored(tx);
    const said = { retryDays: days, ending: rules.ending, updatedAt: tx.now };
    return stored
      ? tx.em.assign(stored, said)
      : tx.em.create(DunningPolicy, { id: newId('dunpol'), ...tx.scope, createdAt: tx.now, ...said });
  }

  private stored(tx: Tx): Promise<DunningPolicy | null> {
    return tx.em.findOne(DunningPolicy, { environmentId: tx.scope.environmentId });
  }
}
