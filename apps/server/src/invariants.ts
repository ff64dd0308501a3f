import { invoicingInvariants } from '@drawdown/invoicing';
import { meteringInvariants } from '@drawdown/metering';
import { platformInvariants, type Invariant, type Sql } from '@drawdown/platform';
import { stripeInvariants } from '@drawdown/stripe';
import { subscriptionInvariants } from '@drawdown/subscriptions';
import { walletInvariants } from '@drawdown/wallets';
import { sql } from 'kysely';

/** Every invariant of every module. */
export const invariants: readonly Invariant[] = [
  ...walletInvariants,
  ...meteringInvariants,
  ...subscriptionInvariants,
  ...invoicingInvariants,
  ...stripeInvariants,
  ...platformInvariants,
];

/** Checks all of them on one snapshot of the database, reading only. @returns one line per violation. */
export async function auditViolations(db: Sql): Promise<string[]> {
  return db.transaction().execute(async (snapshot) => {
    await sql`set transaction isolation level repeatable read, read only`.execute(snapshot);
    const violations: string[] = [];
    for (const { name, check } of invariants) {
      for (const violation of await check(snapshot)) violations.push(`${name}: ${violation}`);
    }
    return violations;
  });
}
