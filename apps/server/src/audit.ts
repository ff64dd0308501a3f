import 'reflect-metadata';
import { databaseAddress, InvalidSettings, ormOptions, readSettings, type Sql } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { entities } from './entities.js';
import { auditViolations, invariants } from './invariants.js';

/** `npm run audit`: reads the whole database, changes nothing, exits 1 when an invariant is broken. */
async function main(): Promise<number> {
  const settings = readSettings(process.env);
  const database = await databaseAddress(settings);
  const orm = await MikroORM.init(ormOptions({ clientUrl: database.url, poolSize: 3, entities, migrations: [] }));
  try {
    const violations = await auditViolations(orm.em.fork().getKysely() as Sql);
    for (const line of violations) console.error(`broken: ${line}`);
    console.log(
      violations.length === 0
        ? `${invariants.length} invariants hold.`
        : `${violations.length} violations of ${invariants.length} invariants.`,
    );
    return violations.length === 0 ? 0 : 1;
  } finally {
    await orm.close();
    await database.release();
  }
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error instanceof InvalidSettings ? error.message : error);
    process.exit(2);
  },
);
