import { afterAll, jest } from '@jest/globals';
import pg from 'pg';

const { TEST_POSTGRES_BASE: base, TEST_POSTGRES_TEMPLATE: template } = process.env;
const name = `test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;

async function admin(sql) {
  const client = new pg.Client(`${base}/postgres`);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

// Speed is shown by bench/: a test's limit only ends what hangs.
jest.setTimeout(180_000);

/** What a file has started; it is closed, in order, before the file's database goes. */
globalThis.closing = [];

await admin(`create database ${name} template ${template}`);
process.env.TEST_DATABASE = `${base}/${name}`;
afterAll(async () => {
  try {
    for (const close of globalThis.closing) await close();
  } finally {
    await admin(`drop database if exists ${name} with (force)`);
  }
});
