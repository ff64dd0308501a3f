import { Api } from './api.js';
import { Narrator } from './narrator.js';
import { startServer, type ServerProcess } from './server-process.js';
import { WalkThrough } from './walk-through.js';

/** `npm run demo [-- --once]`: starts everything, tells the walk-through, and leaves the server running. */
async function main(): Promise<void> {
  const once = process.argv.includes('--once');
  const narrator = new Narrator();
  narrator.chapter('Starting PostgreSQL, the Stripe sandbox and Drawdown');
  const server = await startServer();
  stopWithUs(server);
  const run = Math.random().toString(36).slice(2, 8);
  const right = await new WalkThrough(new Api(server.url, server.key), narrator, run)
    .tell()
    .then(() => narrator.conclude())
    .catch((error: Error) => {
      console.error(`\nThe story broke off: ${error.message}`);
      return false;
    });
  if (once || !right) {
    await server.stop();
    process.exit(right ? 0 : 1);
  }
  showAround(server);
  await server.ended;
}

function showAround({ url, key, sandboxUrl }: ServerProcess): void {
  console.log(`
Drawdown keeps running until you press Ctrl+C:
  API       ${url}/v1      header x-api-key: ${key}
  Swagger   ${url}/docs
  Sandbox   ${sandboxUrl}   (stands in for Stripe)
`);
}

/** Ctrl+C ends the server first; it drains, then we go. */
function stopWithUs(server: ServerProcess): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void server.stop().then(() => process.exit(0)));
  }
}

await main();
