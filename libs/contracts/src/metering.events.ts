import { Amount, Currency, defineEvent, Id } from './event.js';

export const shortfallPaidDown = defineEvent(
  'usage.shortfall_paid_down',
  'Usage that no credits had covered was covered by credits that came later',
  { customer_id: Id, currency: Currency, credits: Amount, amount: Amount },
);
