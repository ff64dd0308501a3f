import type Stripe from 'stripe';
import type { Account } from './account.js';
import { newId } from './identifier.js';
import { expand } from './params.js';
import { route } from './route.js';

/** Whose key it is: one account for the whole folder, whatever the key; made when it is first asked for. */
function retrieveCurrent({ store, clock }: Account): Stripe.Account {
  const [known] = store.all('account');
  if (known) return known;
  const made: Stripe.Account = {
    id: newId('acct', 16),
    object: 'account',
    charges_enabled: true,
    country: 'US',
    created: Math.floor(clock.now() / 1000),
    default_currency: 'usd',
    details_submitted: true,
    email: null,
    metadata: {},
    payouts_enabled: true,
    type: 'standard',
  };
  store.put('account', made);
  return made;
}

export const accountRoutes = [
  route<Stripe.AccountRetrieveCurrentParams>('GET', '/v1/account', expand, (account) => retrieveCurrent(account)),
];
