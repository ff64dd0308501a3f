import type { EntityName } from '@mikro-orm/core';
import type { Tx } from './transactions.js';

interface OwnedRow {
  readonly id: string;
  readonly environmentId: string;
}

/**
 * The row as this transaction has loaded it, else as it finds it. For rows that nobody else changes meanwhile because
 * their customer is locked: what one transaction asks for again and again is asked for once.
 */
export async function loaded<T extends OwnedRow>(tx: Tx, entity: EntityName<T>, id: string): Promise<T | null> {
  const { environmentId } = tx.scope;
  const known = tx.em.getUnitOfWork().getById<T>(entity as never, id as never);
  if (known?.environmentId === environmentId) return known as T;
  return (await tx.em.findOne(entity, { environmentId, id } as never)) as T | null;
}

/** Whether the transaction has loaded or made rows of this kind, which it may have changed since the last flush. */
export function hasInHand<T extends object>(tx: Tx, entity: new (...args: never[]) => T): boolean {
  const work = tx.em.getUnitOfWork();
  return [work.getIdentityMap(), work.getPersistStack()].some((known) =>
    [...known].some((row) => row instanceof entity),
  );
}
