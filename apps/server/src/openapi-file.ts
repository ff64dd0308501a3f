import 'reflect-metadata';
import { databaseAddress, readSettings } from '@drawdown/platform';
import fs from 'node:fs';
import { apiDocument } from './openapi.js';
import { createServer } from './server.js';

/** `npm run openapi [-- FILE]`: writes the API's document as the built server describes it. */
const settings = readSettings({ ...process.env, ROLE: 'api', LOG_LEVEL: 'error' });
const database = await databaseAddress(settings);
const app = await createServer({
  settings,
  databaseUrl: database.url,
  stripe: { secretKey: 'sk_test_openapi', apiBase: 'http://127.0.0.1:9', webhookSecrets: [], webhookBase: null },
});
fs.writeFileSync(process.argv[2] ?? 'openapi.json', `${JSON.stringify(apiDocument(app), null, 2)}\n`);
await app.close();
await database.release();
process.exit(0);
