import type { Flow } from '../flow.js';
import { cardSaved } from './card-saved.js';
import { planChange } from './plan-change.js';
import { recurringCharge } from './recurring-charge.js';
import { topUpByCheckout } from './top-up-by-checkout.js';
import { trialEnd } from './trial-end.js';

export const flows: readonly Flow[] = [recurringCharge, topUpByCheckout, trialEnd, planChange, cardSaved];
