import { sum, type Decimal } from '@drawdown/billing-core';
import type { Feature, Meter } from '@drawdown/features';

/** What one subscription gives of a feature. */
export interface EntitlementSource {
  readonly featureId: string;
  readonly entitlementId: string;
  readonly subscriptionId: string;
  readonly planId: string;
  readonly planName: string;
  readonly isEnabled: boolean;
  readonly isSoftLimit: boolean;
  /** Units per window; null = without limit. */
  readonly usageLimit: Decimal | null;
  /** Null = the billing period. */
  readonly usageResetPeriod: string | null;
  readonly staticValue: string | null;
}

/** What all of them give together. */
export interface AggregatedEntitlement {
  readonly isEnabled: boolean;
  readonly isSoftLimit: boolean;
  readonly usageLimit: Decimal | null;
  readonly usageResetPeriod: string | null;
  readonly staticValues: readonly string[];
}

export interface AggregatedFeature {
  readonly feature: Feature;
  readonly meter: Meter | null;
  readonly entitlement: AggregatedEntitlement;
  readonly sources: readonly EntitlementSource[];
}

/**
 * Adds up what several subscriptions give of one feature: limits sum, one without a limit has none, and a disabled
 * source gives nothing (MEANING.md, "Allowances": "sums per customer are for reading and for limits").
 */
export function aggregated(sources: readonly EntitlementSource[]): AggregatedEntitlement {
  const enabled = sources.filter((source) => source.isEnabled);
  const limits = enabled.map(({ usageLimit }) => usageLimit).filter((limit) => limit !== null);
  return {
    isEnabled: enabled.length > 0,
    isSoftLimit: enabled.some((source) => source.isSoftLimit),
    usageLimit: limits.length > 0 && limits.length === enabled.length ? sum(limits) : null,
    usageResetPeriod: enabled[0]?.usageResetPeriod ?? null,
    staticValues: [...new Set(enabled.flatMap(({ staticValue }) => staticValue ?? []))],
  };
}
