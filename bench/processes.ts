import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const root = path.resolve(import.meta.dirname, '..');

/** A contestant: a process of its own that answers on a port. */
export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /** Resident memory in MB, now and at its highest so far; null where the system doesn't tell. */
  memory(): { readonly now: number; readonly peak: number } | null;
  stop(): Promise<void>;
}

const START_LIMIT_S = 180;

/** Starts `node …args` with PORT set to a free one, and waits until `readyPath` answers. */
export async function startProcess(
  args: readonly string[],
  env: Record<string, string>,
  readyPath: string,
): Promise<RunningServer> {
  const port = await freePort();
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await answering(child, `http://127.0.0.1:${port}${readyPath}`);
  return {
    port,
    pid: child.pid!,
    memory: () => memoryOf(child.pid!),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

async function answering(child: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < START_LIMIT_S * 10; attempt++) {
    if (child.exitCode !== null) break;
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    await sleep(100);
  }
  child.kill();
  throw new Error(`${url} never answered`);
}

function memoryOf(pid: number): { now: number; peak: number } | null {
  if (process.platform !== 'linux') return null;
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)![1]) / 1024;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
