import { startSandbox, type SandboxOptions } from './sandbox.js';

const DEFAULT_PORT = 12111;

function portFrom(name: string, fallback: number): number {
  const given = process.env[name];
  if (given === undefined || given === '') return fallback;
  const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (!(port >= 0 && port <= 65535)) throw new Error(`${name} must be a port number from 0 to 65535`);
  return port;
}

function optionsFromEnvironment(): SandboxOptions {
  const { STRIPE_SANDBOX_DIR: dir, STRIPE_SANDBOX_HOST: host, STRIPE_SANDBOX_PUBLIC_URL: publicUrl } = process.env;
  const port = portFrom('STRIPE_SANDBOX_PORT', DEFAULT_PORT);
  if (publicUrl && !/^https?:\/\/[^/]/.test(publicUrl))
    throw new Error('STRIPE_SANDBOX_PUBLIC_URL must be an http URL');
  if (host && /\s|\//.test(host)) throw new Error('STRIPE_SANDBOX_HOST must be a host name or an address');
  return {
    port,
    controlPort: portFrom('STRIPE_SANDBOX_CONTROL_PORT', port === 0 ? 0 : port + 1),
    dir: dir || '.data/stripe-sandbox',
    host: host || '127.0.0.1',
    ...(publicUrl && { publicUrl: publicUrl.replace(/\/+$/, '') }),
  };
}

try {
  const sandbox = await startSandbox(optionsFromEnvironment());
  const stop = () => {
    void sandbox.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Started by a server: its end, by kill -9 too, closes our standard input and ends us.
  if (process.env.STRIPE_SANDBOX_LIFELINE === 'stdin') process.stdin.once('end', stop).resume();
  console.log(`stripe sandbox: api ${sandbox.url}, control ${sandbox.controlUrl}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
