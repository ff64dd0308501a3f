import { InvalidSettings, type Settings } from '@drawdown/platform';
import { Logger } from '@nestjs/common';
import { spawn, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const SANDBOX_KEY = 'sk_test_sandbox';
const START_TIMEOUT_MS = 15_000;
const LOOK_MS = 1_000;
const ENTRY = fileURLToPath(new URL('../../stripe-sandbox/src/main.js', import.meta.url));

/**
 * Sees to it that there is a sandbox for as long as this server runs. One that another server of this machine has
 * started is shared; when it goes, with its server or by itself, this server starts one on the same journal.
 */
export class SandboxKeeper {
  private readonly log = new Logger('Sandbox');
  private readonly stopping = new AbortController();
  private own: ChildProcess | null = null;

  private constructor(private readonly settings: Settings) {}

  /** @throws InvalidSettings when its ports are taken by another program. */
  static async start(settings: Settings): Promise<SandboxKeeper> {
    const keeper = new SandboxKeeper(settings);
    await keeper.ensure();
    void keeper.keep();
    return keeper;
  }

  stop(): void {
    this.stopping.abort();
    this.own?.kill('SIGTERM');
  }

  private async keep(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted || (await this.answers())) continue;
      this.log.warn('the Stripe sandbox is gone; another one is started on its journal');
      await this.ensure().catch((error: Error) => this.log.error(error.message));
    }
  }

  private async ensure(): Promise<void> {
    const port = this.settings.STRIPE_SANDBOX_PORT;
    if (await this.answers()) return this.assertSandbox();
    const failure = await this.spawn();
    if (failure === null) return;
    // Another server may have been quicker.
    if (await this.answers()) return this.assertSandbox();
    throw new InvalidSettings(
      `STRIPE_SANDBOX_PORT must be free, and the port after it: no sandbox on ${port}: ${failure}`,
    );
  }

  /** @returns what it said when it did not come up; null when it answers on both its ports. */
  private async spawn(): Promise<string | null> {
    const child = spawn(process.execPath, ['--enable-source-maps', ENTRY], {
      env: {
        ...process.env,
        STRIPE_SANDBOX_PORT: String(this.settings.STRIPE_SANDBOX_PORT),
        STRIPE_SANDBOX_DIR: this.settings.STRIPE_SANDBOX_DIR,
        STRIPE_SANDBOX_LIFELINE: 'stdin',
      },
      // A group of its own: Ctrl+C reaches the server only, which drains before the sandbox goes.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.own = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${String(chunk)}`.slice(-2_000);
      if (child.exitCode === null) this.log.error(String(chunk).trim());
    });
    // Its first line comes when both ports are taken.
    const up = new Promise<null>((resolve) => child.stdout.once('data', () => resolve(null)));
    child.stdout.resume();
    const ended = new Promise<string>((resolve) =>
      child.once('close', () => resolve(said.trim() || 'it ended at once')),
    );
    const late = sleep(START_TIMEOUT_MS, 'it did not come up in time', { ref: false });
    const failure = await Promise.race([up, ended, late]);
    if (failure !== null) child.kill('SIGKILL');
    return failure;
  }

  private async assertSandbox(): Promise<void> {
    const port = this.settings.STRIPE_SANDBOX_PORT;
    const answer = await fetch(`http://127.0.0.1:${port}/v1/account`, {
      headers: { authorization: `Bearer ${SANDBOX_KEY}` },
      signal: AbortSignal.timeout(2_000),
    }).then(
      (response) => response.ok,
      () => false,
    );
    if (!answer) throw new InvalidSettings(`STRIPE_SANDBOX_PORT must be free: another program answers on ${port}`);
  }

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port: this.settings.STRIPE_SANDBOX_PORT, timeout: 500 });
      const done = (open: boolean) => {
        socket.destroy();
        resolve(open);
      };
      socket.once('connect', () => done(true));
      socket.once('error', () => done(false));
      socket.once('timeout', () => done(false));
    });
  }
}
