import 'reflect-metadata';
import { databaseAddress, InvalidSettings, readSettings } from '@drawdown/platform';
import { bootstrap, createServer } from './server.js';
import { stripeAccess } from './stripe-access.js';

/** Five seconds are left of the thirty we promise: for stopping what we have started. */
const DRAIN_LIMIT_MS = 25_000;

async function main(): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new InvalidSettings(`Node 24 is needed, this is ${process.versions.node}: start with npm start`);
  }
  const settings = readSettings(process.env);
  const database = await databaseAddress(settings);
  const started: Release[] = [database.release];
  let drain: Release = () => {};
  try {
    const stripe = await stripeAccess(settings);
    started.unshift(stripe.stop);
    const app = await createServer({ settings, databaseUrl: database.url, stripe });
    drain = () => app.close();
    const key = await bootstrap(app);
    if (key) console.log(`\nAPI key of the development environment, shown only now: ${key}\n`);
    await app.listen(settings.PORT, settings.HOST);
    const address = await app.getUrl();
    console.log(`Drawdown is up (${settings.ROLE}): ${address}/v1   Swagger: ${address}/docs`);
  } catch (error) {
    await releaseAll([drain, ...started]);
    throw error;
  }
  stopOnSignal(drain, started);
}

type Release = () => Promise<void> | void;

/** In order, each whatever became of the one before: what we started must not outlive us. */
async function releaseAll(releases: readonly Release[]): Promise<void> {
  for (const release of releases) {
    try {
      await release();
    } catch (error) {
      console.error(`could not stop cleanly: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
}

/** Drains what is in hand and exits; a second signal, or a drain that takes too long, ends it without. */
function stopOnSignal(drain: Release, started: readonly Release[]): void {
  let stopping = false;
  const giveUp = () => {
    process.exitCode = 1;
    void releaseAll(started).then(() => process.exit());
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return giveUp();
      stopping = true;
      setTimeout(giveUp, DRAIN_LIMIT_MS).unref();
      void releaseAll([drain, ...started]).then(() => process.exit());
    });
  }
}

main().catch((error: Error) => {
  console.error(error instanceof InvalidSettings ? error.message : `could not start: ${error.message}`);
  if (process.env.LOG_LEVEL === 'debug') console.error(error.stack);
  process.exit(1);
});
