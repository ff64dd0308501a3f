/**
 * Statements of one transaction that PostgreSQL works on while the next ones are still being made; they are sent in the
 * order in which they are given to `write`. Waits for all of them, also when one or the work itself fails: what is sent
 * after the rollback would stand on its own. Throws what failed first in time, which is why the others did.
 */
export async function overlapped<T>(work: (write: (statement: Promise<void>) => void) => Promise<T>): Promise<T> {
  let failure: { readonly error: unknown } | null = null;
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  const statements: Promise<void>[] = [];
  const worked = (async () => work((statement) => void statements.push(statement.catch(fail))))();
  await worked.catch(fail);
  await Promise.all(statements);
  if (failure) throw (failure as { readonly error: unknown }).error;
  return worked;
}
