import type Stripe from 'stripe';

/** What the sandbox knows of a payment method beyond what Stripe shows. */
export interface CardOnFile {
  /** The payment method's id. */
  id: string;
  /** The test card's number: decides how it behaves. */
  number: string;
  /** Its holder has authenticated it for later off-session use. */
  set_up: boolean;
  /** Paid once without a customer, or detached: may not be used again. */
  spent: boolean;
}

/** What a session will make of itself when it is paid. */
export interface CheckoutPlan {
  /** The session's id. */
  id: string;
  items: Stripe.LineItem[];
  payment: Stripe.Checkout.SessionCreateParams.PaymentIntentData;
  customer_creation: 'always' | 'if_required';
}

export interface EndpointSecrets {
  /** The endpoint's id. */
  id: string;
  secret: string;
  /** During a roll-over both secrets sign, until this one expires (seconds). */
  previous: { secret: string; expires_at: number } | null;
}

export interface DeliveryAttempt {
  at: number;
  status: number | null;
  error: string | null;
}

/** One event on its way to one endpoint. */
export interface Delivery {
  id: string;
  event: string;
  endpoint: string;
  type: string;
  status: 'pending' | 'held' | 'succeeded' | 'failed' | 'never';
  /** Waits to change places with the next one held for this reason. */
  swaps: boolean;
  attempts: DeliveryAttempt[];
  /** Milliseconds of sandbox time; null when nothing more is due. */
  next_attempt_at: number | null;
}

export interface IdempotentAnswer {
  /** The key. */
  id: string;
  endpoint: string;
  fingerprint: string;
  created: number;
  status: number;
  body: string;
}

export const FAULTS = [
  'delay',
  'drop_before',
  'execute_then_drop',
  '409',
  '429',
  '500_stored',
  '503',
  'half_body',
] as const;

export interface FaultRule {
  id: string;
  act: (typeof FAULTS)[number];
  match: { method?: string; path?: string; nth?: number; metadata?: Record<string, string> };
  /** How often it strikes; null is until it is deleted. */
  times: number | null;
  /** For `delay`. */
  ms: number;
  /** For `500_stored`: whether the endpoint runs before the 500. */
  execute: boolean;
  seen: number;
  struck: number;
}

export const WEBHOOK_ACTS = [
  'hold',
  'duplicate',
  'swap',
  'wrong_secret',
  'old_timestamp',
  'twin',
  'never',
  'livemode',
] as const;

export interface WebhookRule {
  id: string;
  act: (typeof WEBHOOK_ACTS)[number];
  /** Event types it applies to, `*` allowed. */
  types: string[];
  times: number | null;
  /** For `duplicate`: how often each delivery is sent in all. */
  n: number;
  /** For `old_timestamp`: the age of `t`. */
  seconds: number;
  struck: number;
}

/** Stripe's objects under their `object` names, then the sandbox's own facts. Rows are never changed, only replaced. */
export interface Tables {
  account: Stripe.Account;
  customer: Stripe.Customer | Stripe.DeletedCustomer;
  payment_method: Stripe.PaymentMethod;
  payment_intent: Stripe.PaymentIntent;
  setup_intent: Stripe.SetupIntent;
  'checkout.session': Stripe.Checkout.Session;
  charge: Stripe.Charge;
  refund: Stripe.Refund;
  dispute: Stripe.Dispute;
  event: Stripe.Event;
  webhook_endpoint: Stripe.WebhookEndpoint;
  card: CardOnFile;
  checkout_plan: CheckoutPlan;
  endpoint_secrets: EndpointSecrets;
  delivery: Delivery;
  idempotent_answer: IdempotentAnswer;
  fault: FaultRule;
  webhook_rule: WebhookRule;
  clock: { id: 'clock'; offset_ms: number };
}

export type TableName = keyof Tables;
