import { describe, expect, it } from '@jest/globals';
import { MetadataStorage, MikroORM } from '@mikro-orm/postgresql';
import { ormOptions } from '@drawdown/platform';
import { sql } from 'kysely';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { entities } from '../../apps/server/src/entities.js';
import { migrations } from '../../migrations/index.js';

const root = path.resolve(import.meta.dirname, '../..');

describe('the committed openapi.json', () => {
  it('is what the built server says of itself (npm run openapi writes it)', () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'openapi-')), 'openapi.json');
    execFileSync(process.execPath, ['apps/start.mjs', 'server/openapi-file', file], {
      cwd: root,
      env: { ...process.env, DATABASE_URL: process.env.TEST_DATABASE },
    });
    const generated = JSON.parse(fs.readFileSync(file, 'utf8'));
    const committed = JSON.parse(fs.readFileSync(path.join(root, 'openapi.json'), 'utf8'));
    expect(committed).toEqual(generated);
  }, 120_000);
});

describe('every entity', () => {
  it('has the columns of its migrated table, with their types and nullability', async () => {
    const orm = await MikroORM.init(
      ormOptions({ clientUrl: process.env.TEST_DATABASE!, poolSize: 3, entities, migrations }),
    );
    const columns = await sql<{ table: string; name: string; type: string; nullable: boolean }>`
      select c.relname "table", a.attname name, format_type(a.atttypid, a.atttypmod) type, not a.attnotnull nullable
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`.execute(
      orm.em.fork().getKysely(),
    );
    const inDatabase = new Map(columns.rows.map((column) => [`${column.table}.${column.name}`, column]));
    const wrong: string[] = [];
    for (const meta of Object.values(orm.getMetadata().getAll()) as ReturnType<
      typeof MetadataStorage.prototype.get
    >[]) {
      for (const property of meta.props.filter((candidate) => candidate.persist !== false)) {
        const key = `${meta.tableName}.${property.fieldNames[0]}`;
        const column = inDatabase.get(key);
        if (!column) wrong.push(`${key} is not in the database`);
        else if (column.nullable !== Boolean(property.nullable)) wrong.push(`${key} nullable in one of the two only`);
        else if (!sameType(column.type, property.columnTypes[0]!)) {
          wrong.push(`${key} is ${column.type}, the entity says ${property.columnTypes[0]}`);
        }
      }
    }
    await orm.close();
    expect(wrong).toEqual([]);
  });
});

/** The ORM's names of types, in PostgreSQL's words. */
function sameType(database: string, entity: string): boolean {
  const words: Record<string, string> = {
    'timestamp with time zone': 'timestamptz',
    'character varying(255)': 'text',
    'varchar(255)': 'text',
    int: 'integer',
    'double precision': 'float',
  };
  const plain = (type: string) => {
    const bare = type.replace(/\(\d\)$/, '').toLowerCase();
    return words[type] ?? words[bare] ?? bare;
  };
  return plain(database) === plain(entity) || (database === 'text' && entity.startsWith('varchar'));
}
