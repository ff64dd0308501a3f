/**
 * Statements of one transaction that PostgreSQL works on while the next ones are still being made; they are sent in the
 * order in which they are given to `write`. Waits for all of them, also when one or the work itself fails: what is sent
 * after the rollback would stand on its own. Throws what failed first.
 */
export async function overlapped<T>(work: (write: (statement: Promise<void>) => void) => Promise<T>): Promise<T> {
  const statements: Promise<void>[] = [];
  const write = (statement: Promise<void>): void => {
    statement.catch(() => {}); // it is thrown below
    statements.push(statement);
  };
  const [worked] = await Promise.allSettled([work(write)]);
  await Promise.allSettled(statements);
  await Promise.all(statements);
  if (worked.status === 'rejected') throw worked.reason;
  return worked.value;
}
