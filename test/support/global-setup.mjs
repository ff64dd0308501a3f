import { createHash } from 'node:crypto';
import fs from 'node:fs';
import pg from 'pg';
import { tsImport } from 'tsx/esm/api';

/** One server for the whole run, and one migrated database of which every test file gets a clone. */
export default async function () {
  const { ensurePostgres } = await tsImport('../../libs/platform/src/database/embedded-postgres.ts', import.meta.url);
  let base = process.env.TEST_DATABASE_URL;
  if (!base) {
    const server = await ensurePostgres({ dir: '.data/test-postgres', fast: true });
    base = server.base;
    globalThis.testPostgres = server;
  }
  const template = `template_${migrationsHash()}`;
  const admin = new pg.Client(`${base}/postgres`);
  await admin.connect();
  await dropLeftovers(admin);
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [template]);
  if (!rowCount) await makeTemplate(admin, base, template);
  await admin.end();
  process.env.TEST_POSTGRES_BASE = base;
  process.env.TEST_POSTGRES_TEMPLATE = template;
}

function migrationsHash() {
  const hash = createHash('sha256');
  for (const file of fs.readdirSync('migrations').sort())
    hash.update(file).update(fs.readFileSync(`migrations/${file}`));
  return hash.digest('hex').slice(0, 12);
}

/** Databases of killed runs: their name holds the process that made them. */
async function dropLeftovers(admin) {
  const { rows } = await admin.query(`select datname from pg_database where datname like 'test\\_%'`);
  for (const { datname } of rows) {
    const pid = Number(datname.split('_')[1]);
    if (!isAlive(pid)) await admin.query(`drop database if exists ${admin.escapeIdentifier(datname)} with (force)`);
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function makeTemplate(admin, base, template) {
  const { MikroORM } = await import('@mikro-orm/postgresql');
  const { ormOptions } = await tsImport('../../libs/platform/src/database/orm-options.ts', import.meta.url);
  const { migrations } = await tsImport('../../migrations/index.ts', import.meta.url);
  const draft = `${template}_${process.pid}`;
  await admin.query(`create database ${draft}`);
  const orm = await MikroORM.init({
    ...ormOptions({ clientUrl: `${base}/${draft}`, poolSize: 3, entities: [], migrations }),
    discovery: { warnWhenNoEntities: false },
  });
  await orm.migrator.up();
  await orm.close();
  try {
    await admin.query(`alter database ${draft} rename to ${template}`);
  } catch {
    await admin.query(`drop database ${draft}`);
  }
}
