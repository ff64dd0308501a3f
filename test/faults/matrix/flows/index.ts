import type { Flow } from '../flow.js';
import { autoTopUp } from './auto-top-up.js';
import { cardSaved } from './card-saved.js';
import { dunningRetry } from './dunning-retry.js';
import { planChange } from './plan-change.js';
import { recurringCharge } from './recurring-charge.js';
import { refund } from './refund.js';
import { topUpByCheckout } from './top-up-by-checkout.js';
import { trialEnd } from './trial-end.js';

export const flows: readonly Flow[] = [
  recurringCharge,
  topUpByCheckout,
  autoTopUp,
  refund,
  dunningRetry,
  trialEnd,
  planChange,
  cardSaved,
];
