import { Crowd } from './crowd.js';
import type { Tx } from './transactions.js';

/** What a statement over many needs of a transaction: it belongs to all of them, so it has no entities. */
export type SetTx = Pick<Tx, 'db' | 'scope' | 'now'>;

/** One statement for all that is asked, answered in the order of the questions. */
export type SetStatement<A, R> = (tx: SetTx, asked: readonly A[]) => Promise<readonly R[]>;

/** The rows of each question, which asks for those with its key. */
export function rowsOf<Row>(keys: readonly string[], rows: readonly Row[], keyOf: (row: Row) => string): Row[][] {
  const byKey = Map.groupBy(rows, keyOf);
  return keys.map((key) => byKey.get(key) ?? []);
}

/** Asks the database what others of the crowd ask at the same moment in one statement; alone it is a statement of its own. */
export async function together<A, R>(tx: Tx, statement: SetStatement<A, R>, asked: A): Promise<R> {
  const member = Crowd.memberIn(tx.em.getTransactionContext());
  if (!member) return (await statement(tx, [asked]))[0]!;
  return member.crowd.ask(member, statement, asked, (all) => statement(tx, all));
}
