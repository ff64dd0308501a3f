import { PostgreSqlConnection } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';

type Execute = PostgreSqlConnection['execute'];

/**
 * Sends the ORM's statements with their parameters beside them. The ORM itself writes the values into the text, and
 * PostgreSQL would have to parse and plan every one anew, which is most of what a small statement costs.
 */
export class BindingConnection extends PostgreSqlConnection {
  override execute: Execute = async (query, params = [], method = 'all', ctx, loggerContext) => {
    const values = Array.isArray(params) ? (params as unknown[]) : null;
    const bound = typeof query === 'string' && values ? bind(query, values) : null;
    if (!bound) return super.execute(query, params, method, ctx, loggerContext);
    await this.ensureConnection();
    const compiled = CompiledQuery.raw(bound, values!);
    const result = await (ctx ?? this.getClient()).executeQuery(compiled);
    return this.transformRawResult(result, method) as never;
  };
}

/** The text with `$1`, `$2`… for its question marks; null for what is more than that: identifiers, escapes, pieces of SQL. */
export function bind(query: string, params: readonly unknown[]): string | null {
  if (query.includes('??') || query.includes('\\?') || !params.every(isValue)) return null;
  let n = 0;
  const text = query.replaceAll('?', () => `$${++n}`);
  return n === params.length ? text : null;
}

const isValue = (param: unknown): boolean =>
  param === null ||
  param instanceof Date ||
  Buffer.isBuffer(param) ||
  /^(string|number|bigint|boolean)$/.test(typeof param);
