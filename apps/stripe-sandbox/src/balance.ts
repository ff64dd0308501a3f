import type Stripe from 'stripe';
import type { Account } from './account.js';
import { expand } from './params.js';
import { route } from './route.js';

/** What came in less what went back, by currency; enough to check a key and to see money arrive. */
function retrieve(account: Account): Stripe.Balance {
  const totals = new Map<string, number>([['usd', 0]]);
  const add = (currency: string, amount: number) => totals.set(currency, (totals.get(currency) ?? 0) + amount);
  for (const charge of account.store.all('charge')) {
    if (charge.status === 'succeeded') add(charge.currency, charge.amount - charge.amount_refunded);
  }
  for (const dispute of account.store.all('dispute'))
    if (dispute.status !== 'won') add(dispute.currency, -dispute.amount);
  const amounts = [...totals].map(([currency, amount]) => ({ amount, currency, source_types: { card: amount } }));
  return {
    object: 'balance',
    available: amounts,
    livemode: false,
    pending: amounts.map(({ currency }) => ({ amount: 0, currency, source_types: { card: 0 } })),
  };
}

export const balanceRoutes = [
  route<Stripe.BalanceRetrieveParams>('GET', '/v1/balance', expand, (account) => retrieve(account)),
];
