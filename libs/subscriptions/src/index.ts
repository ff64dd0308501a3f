export type { AggregatedFeature, EntitlementSource } from './aggregated-feature.js';
export type { BilledItem } from './billed-items.js';
export { commitmentOf } from './commitment.js';
export { EntitledFeatures } from './entitled-features.service.js';
export {
  entitledBy,
  entitledRowsOfCustomer,
  type Entitled,
  type EntitledRow,
  type SubscriptionTerms,
} from './entitled-rows.js';
export { aggregatedFeatureView, AggregatedFeatureView, EntitlementSourceView } from './entitlements.dto.js';
export { CreditGrantApplication, SubscriptionGrant } from './grant.entity.js';
export { lineItemView } from './line-item.dto.js';
export { LineItem } from './line-item.entity.js';
export { LineItemCommitmentBody } from './line-items.dto.js';
export { Pause } from './pause.entity.js';
export { Pauses } from './pauses.service.js';
export { Period } from './period.entity.js';
export { PlanChanges, type PlanChange } from './plan-changes.service.js';
export { isRunning, SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription-status.js';
export { SubscriptionEntitlement } from './subscription-entitlement.entity.js';
export { SubscriptionView, subscriptionView, type SubscriptionRelations } from './subscription.dto.js';
export { ActivateSubscriptionBody, SubscriptionChangeBody } from './subscription-changes.dto.js';
export { SubscriptionSchedule } from './subscription-schedule.entity.js';
export { Subscription, timeOf } from './subscription.entity.js';
export { CancelSubscriptionBody, CreateSubscriptionBody } from './subscriptions.dto.js';
export { SubscriptionsModule } from './subscriptions.module.js';
export { SubscriptionsService, type Cancellation } from './subscriptions.service.js';
export { usageItemRowsIn, usageItemsFrom, usageItemsIn, type UsageItem, type UsageItemRow } from './usage-items.js';
export { subscriptionInvariants } from './subscriptions.invariants.js';
