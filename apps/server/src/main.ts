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
  const releases: (() => Promise<void> | void)[] = [database.release];
  try {
    const stripe = await stripeAccess(settings);
    releases.unshift(stripe.stop);
    const app = await createServer({ settings, databaseUrl: database.url, stripe });
    releases.unshift(() => app.close());
    const key = await bootstrap(app);
    if (key) console.log(`\nAPI key of the development environment, shown only now: ${key}\n`);
    await app.listen(settings.PORT, settings.HOST);
    const address = await app.getUrl();
    console.log(`Drawdown is up (${settings.ROLE}): ${address}/v1   Swagger: ${address}/docs`);
  } catch (error) {
    await releaseAll(releases);
    throw error;
  }
  stopOnSignal(() => releaseAll(releases));
}

/** In order, each whatever became of the one before: what we started must not outlive us. */
async function releaseAll(releases: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const release of releases) {
    try {
      await release();
    } catch (error) {
      console.error(`could not stop cleanly: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
}

/** Drains what is in hand and exits; a second signal, or a drain that takes too long, ends it at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      setTimeout(() => process.exit(1), DRAIN_LIMIT_MS).unref();
      void stop().then(() => process.exit());
    });
  }
}

main().catch((error: Error) => {
  console.error(error instanceof InvalidSettings ? error.message : `could not start: ${error.message}`);
  if (process.env.LOG_LEVEL === 'debug') console.error(error.stack);
  process.exit(1);
});
