import 'reflect-metadata';
import { databaseAddress, InvalidSettings, readSettings } from '@drawdown/platform';
import { bootstrap, createServer } from './server.js';
import { stripeAccess } from './stripe-access.js';

const DRAIN_LIMIT_MS = 28_000;

async function main(): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new InvalidSettings(`Node 24 is needed, this is ${process.versions.node}: start with npm start`);
  }
  const settings = readSettings(process.env);
  const database = await databaseAddress(settings);
  const stripe = await stripeAccess(settings);
  const app = await createServer({ settings, databaseUrl: database.url, stripe });
  const key = await bootstrap(app);
  if (key) console.log(`\nAPI key of the development environment, shown only now: ${key}\n`);
  await app.listen(settings.PORT, settings.HOST);
  const address = `http://${settings.HOST}:${settings.PORT}`;
  console.log(`Drawdown is up (${settings.ROLE}): ${address}/v1   Swagger: ${address}/docs`);
  stopOnSignal(async () => {
    await app.close();
    stripe.stop();
    await database.release();
  });
}

/** Drains what is in hand and exits; a second signal, or a drain that takes too long, ends it at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      setTimeout(() => process.exit(1), DRAIN_LIMIT_MS).unref();
      stop().then(
        () => process.exit(0),
        (error: Error) => {
          console.error(`could not stop cleanly: ${error.message}`);
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: Error) => {
  console.error(error instanceof InvalidSettings ? error.message : error);
  process.exit(1);
});
