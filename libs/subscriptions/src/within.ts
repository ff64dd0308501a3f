import { Problem } from '@drawdown/platform';

/** Does the work for one part of a request: a problem of it names its field by the path from the whole. */
export async function within<T>(part: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { field } = error.details;
    throw new Problem(error.code, `${part}: ${error.message}`, {
      ...error.details,
      field: field ? `${part}.${field}` : part,
    });
  }
}
