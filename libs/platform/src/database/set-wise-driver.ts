import {
  type Configuration,
  type EntityDictionary,
  type EntityMetadata,
  type EntityName,
  type EntityProperty,
  type FilterQuery,
  type FindOptions,
  type ObjectQuery,
  type QueryResult,
  Utils,
} from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { BindingConnection } from './binding-connection.js';
import { Crowd } from './crowd.js';

type Row = Record<string, unknown>;
type Meta = EntityMetadata<Row>;
type FindSome = FindOptions<Row, never, never, never>;

interface Declaration {
  readonly as: string;
  readonly cast?: string;
}

interface Recordset {
  readonly declared: readonly string[];
  readonly selected: readonly string[];
}

/** How the columns of a row that comes as JSON are declared. A type that is missing here is written row by row. */
const DECLARED: Readonly<Record<string, Declaration>> = {
  varchar: { as: 'text' },
  text: { as: 'text' },
  numeric: { as: 'numeric' },
  timestamptz: { as: 'timestamptz' },
  boolean: { as: 'boolean' },
  int: { as: 'int' },
  smallint: { as: 'smallint' },
  bigint: { as: 'bigint' },
  // The ORM has made it text already.
  jsonb: { as: 'text', cast: 'jsonb' },
};

/**
 * The ORM's driver, for crowds (`Crowd`): rows of one table that several members look for by one key, insert or change
 * at the same moment are one statement. Anything else, and everything outside of a crowd, is the ORM's own.
 */
export class SetWiseDriver extends PostgreSqlDriver {
  protected override readonly connection: BindingConnection;

  constructor(config: Configuration) {
    super(config);
    this.connection = new BindingConnection(config);
  }

  override async find<T extends object, P extends string = never, F extends string = never, E extends string = never>(
    entityName: EntityName<T>,
    where: ObjectQuery<T>,
    options: FindOptions<T, P, F, E> = {},
  ): Promise<never[]> {
    const alone = () => super.find(entityName, where, options) as Promise<never[]>;
    const member = Crowd.memberIn(options.ctx);
    const some = options as unknown as FindSome;
    if (!member || !isPlainFind(some) || !isPlain(where) || (some.lockMode && !('id' in where))) return alone();
    const columns = Object.keys(where as Row).toSorted();
    const alike = ['find', Utils.className(entityName), ...columns, some.lockMode, JSON.stringify(some.orderBy)];
    const rows = await member.crowd.ask(member, alike.join(), where as Row, (asked) =>
      this.findAll(entityName as EntityName<Row>, asked, some),
    );
    return (some.limit ? rows.slice(0, some.limit) : rows) as never[];
  }

  override nativeInsertMany<T extends object>(
    entityName: EntityName<T>,
    data: EntityDictionary<T>[],
    options: object = {},
  ): Promise<QueryResult<T>> {
    const member = Crowd.memberIn((options as { ctx?: unknown }).ctx);
    const columns = Object.keys(data[0] ?? {}).toSorted();
    const sameColumns = data.every((row) => Object.keys(row).toSorted().join() === columns.join());
    if (!member || !sameColumns || !data.every(isStorable) || !this.declarations(this.meta(entityName), columns)) {
      return super.nativeInsertMany(entityName, data, options);
    }
    const alike = ['insert', Utils.className(entityName), ...columns].join();
    return member.crowd.ask(member, alike, data as Row[], (asked) =>
      this.insertAll(this.meta(entityName), columns, asked, options),
    ) as Promise<QueryResult<T>>;
  }

  override nativeUpdate<T extends object>(
    entityName: EntityName<T>,
    where: FilterQuery<T>,
    data: EntityDictionary<T>,
    options: object = {},
  ): Promise<QueryResult<T>> {
    const member = Crowd.memberIn((options as { ctx?: unknown }).ctx);
    const changed = Object.keys(data).toSorted();
    const keys = Utils.isPlainObject(where) ? Object.keys(where).toSorted() : [];
    if (
      !member ||
      !keys.includes('id') ||
      !isStorable(where) ||
      Object.values(where).includes(null) ||
      !isStorable(data) ||
      !this.declarations(this.meta(entityName), [...keys, ...changed])
    ) {
      return super.nativeUpdate(entityName, where, data, options);
    }
    const alike = ['update', Utils.className(entityName), ...keys, 'to', ...changed].join();
    return member.crowd.ask(member, alike, { where: where as Row, data: data as Row }, (asked) =>
      this.updateAll(this.meta(entityName), { keys, changed }, asked, options),
    ) as Promise<QueryResult<T>>;
  }

  /** Where they differ in plain values they are one statement, else each has its own. */
  private async findAll(entityName: EntityName<Row>, asked: readonly Row[], options: FindSome): Promise<Row[][]> {
    const { limit: _, ...rest } = options;
    const find = async (where: Row) => (await super.find(entityName, where as never, rest as never)) as Row[];
    const [first] = asked;
    const varying = Object.keys(first!).filter((key) => asked.some((where) => !isSame(where[key], first![key])));
    const keyOf = (row: Row) => varying.map((key) => row[key]).join('\n');
    const plain = this.declarations(this.meta(entityName), varying)?.every(({ as, cast }) => as === 'text' && !cast);
    const words = asked.every((where) => varying.every((key) => typeof where[key] === 'string'));
    if (!plain || !words || new Set(asked.map(keyOf)).size < asked.length) {
      const found: Row[][] = [];
      for (const where of asked) found.push(await find(where));
      return found;
    }
    const among = varying.map((key) => [key, { $in: [...new Set(asked.map((where) => where[key]))] }]);
    const byKey = Map.groupBy(await find({ ...first, ...Object.fromEntries(among) }), keyOf);
    return asked.map((where) => byKey.get(keyOf(where)) ?? []);
  }

  private async insertAll(
    meta: Meta,
    columns: readonly string[],
    asked: readonly Row[][],
    options: object,
  ): Promise<QueryResult<object>[]> {
    const names = columns.map((column) => this.columnOf(meta, column));
    const { declared, selected } = this.recordset(meta, columns);
    const { returning } = this.returned(meta);
    const result = await this.execute<QueryResult<Row>>(
      `insert into ${this.tableOf(meta)} (${names.join(', ')}) select ${selected.join(', ')}
       from jsonb_to_recordset(?::jsonb) v(${declared.join(', ')})${returning && ` returning id, ${returning}`}`,
      [JSON.stringify(asked.flat())],
      'run',
      (options as { ctx?: never }).ctx,
    );
    const byId = new Map((result.rows ?? []).map((row) => [row.id, row]));
    return asked.map((rows) => {
      const own = rows.flatMap((row) => byId.get(row.id) ?? []);
      return { affectedRows: rows.length, insertId: rows[0]!.id as never, row: own[0] ?? {}, rows: own };
    });
  }

  private async updateAll(
    meta: Meta,
    { keys, changed }: { readonly keys: readonly string[]; readonly changed: readonly string[] },
    asked: readonly { readonly where: Row; readonly data: Row }[],
    options: object,
  ): Promise<QueryResult<object>[]> {
    if (new Set(asked.map(({ where }) => where.id)).size < asked.length) {
      const results: QueryResult<object>[] = [];
      for (const one of asked) results.push(...(await this.updateAll(meta, { keys, changed }, [one], options)));
      return results;
    }
    const { declared, selected } = this.recordset(meta, changed);
    const wanted = this.recordset(meta, keys, 'if_');
    const { returning, version } = this.returned(meta);
    const set = changed.map((column, n) => `${this.columnOf(meta, column)} = ${selected[n]}`);
    if (version) set.push(`${version} = t.${version} + 1`);
    const matches = keys.map((column, n) => `t.${this.columnOf(meta, column)} = ${wanted.selected[n]}`);
    const rows = asked.map(({ where, data }) => ({
      ...data,
      ...Object.fromEntries(keys.map((column) => [`if_${column}`, where[column]])),
    }));
    const result = await this.execute<QueryResult<Row>>(
      `update ${this.tableOf(meta)} t set ${set.join(', ')}
       from jsonb_to_recordset(?::jsonb) v(${[...declared, ...wanted.declared].join(', ')})
       where t.id = any(array(select jsonb_array_elements_text(?::jsonb))) and ${matches.join(' and ')}
       returning t.id${returning && `, t.${returning}`}`,
      [JSON.stringify(rows), JSON.stringify(asked.map(({ where }) => where.id))],
      'run',
      (options as { ctx?: never }).ctx,
    );
    const byId = new Map((result.rows ?? []).map(({ id, ...row }) => [id, row]));
    return asked.map(({ where }) => {
      const row = byId.get(where.id);
      return { affectedRows: row ? 1 : 0, insertId: where.id as never, row: (row ?? {}) as object };
    });
  }

  /** What the ORM reads back of a row it has written. */
  private returned(meta: Meta): { readonly returning: string; readonly version: string } {
    const version = meta.versionProperty as string | undefined;
    const column = version ? this.columnOf(meta, version) : '';
    return { returning: column, version: column };
  }

  /** The properties as columns of a recordset `v`, whose names in the JSON may carry a prefix. */
  private recordset(meta: Meta, properties: readonly string[], prefix = ''): Recordset {
    const declarations = this.declarations(meta, properties)!;
    return {
      declared: properties.map((property, n) => `"${prefix}${property}" ${declarations[n]!.as}`),
      selected: properties.map((property, n) => {
        const { cast } = declarations[n]!;
        return `v."${prefix}${property}"${cast ? `::${cast}` : ''}`;
      }),
    };
  }

  /** Null when one of the properties has no column that can come as JSON. */
  private declarations(meta: Meta, properties: readonly string[]): Declaration[] | null {
    const all = meta.properties as Record<string, EntityProperty | undefined>;
    const declarations = properties.flatMap((name) => {
      const property = all[name];
      const type = property?.fieldNames.length === 1 ? property.columnTypes[0]!.replace(/\(.*/, '') : '';
      return DECLARED[type] ?? [];
    });
    return declarations.length === properties.length ? declarations : null;
  }

  private columnOf(meta: Meta, property: string): string {
    const all = meta.properties as Record<string, EntityProperty>;
    return this.platform.quoteIdentifier(all[property]!.fieldNames[0]!);
  }

  private meta(entityName: EntityName): Meta {
    return this.metadata.get(entityName) as never;
  }

  private tableOf(meta: Meta): string {
    return this.platform.quoteIdentifier(meta.tableName);
  }
}

/** Something the members' questions can differ in: a row by plain values, no relations, pages or parts of it. */
function isPlainFind(options: FindSome): boolean {
  const { populate, fields, exclude, offset, having, limit, orderBy } = options as Record<string, unknown>;
  const ordered = Object.keys((orderBy as object | undefined) ?? {}).length > 0;
  if (Array.isArray(populate) && populate.length > 0) return false;
  // Of many rows in an order, the first ones of each can't be told in one statement.
  return !fields && !exclude && !offset && !having && !(limit !== undefined && ordered);
}

/** As the column takes it: no condition, piece of SQL, nor anything that is still to be converted. */
const isStorable = (row: object): boolean =>
  Object.values(row).every(
    (value) => value === null || value instanceof Date || /^(string|number|boolean)$/.test(typeof value),
  );

const isPlain = (where: unknown): boolean =>
  Utils.isPlainObject(where) && Object.keys(where).every((key) => !key.startsWith('$'));

const isSame = (one: unknown, other: unknown): boolean =>
  one === other || (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(other));
