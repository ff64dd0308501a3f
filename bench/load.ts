import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one contestant is asked over and over. */
export interface Target {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}
/** `units`: events (or reads) that succeeded. Times of single requests in milliseconds. */
export interface LoadResult {
  readonly seconds: number;
  readonly requests: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const WARM_UP_SHARE = 0.25;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** Events of one call. */
  readonly unitsPerCall?: number;
  /** Calls a second; without it as many as the connections can. */
  readonly pace?: number;
}

/**
 * A closed loop: each connection sends its next request when it has read the whole answer to the one before. With a
 * pace an open loop: requests fall due at that pace whatever becomes of those before, and a request's time counts from
 * when it was due. The client is a socket and a few string searches, so that on a small machine the server is measured
 * and not the client. The first quarter of the time warms up and isn't counted. Anything but a 2xx counts as refused.
 */
export async function drive(
  target: Target,
  { connections, seconds, unitsPerCall = 1, pace }: Load,
  nextCall: () => Call,
): Promise<LoadResult> {
  const clients = await Promise.all(Array.from({ length: connections }, () => Connection.open(target)));
  const begin = performance.now();
  const counted = begin + seconds * 1000 * WARM_UP_SHARE;
  const end = counted + seconds * 1000;
  let turn = 0;
  const nextDue = () => (pace ? begin + (turn++ * 1000) / pace : performance.now());
  const times: number[] = [];
  let refused = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let due = nextDue(); due < end; due = nextDue()) {
        if (pace) await sleep(Math.max(0, due - performance.now()));
        const { status } = await client.send(nextCall());
        if (due < counted) continue;
        if (status < 300) times.push(performance.now() - due);
        else refused++;
      }
      client.close();
    }),
  );
  const took = (performance.now() - counted) / 1000;
  times.sort((a, b) => a - b);
  return {
    seconds: took,
    requests: times.length,
    refused,
    perSecond: (times.length * unitsPerCall) / took,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

/** Sends every call once, over so many connections. @throws when one isn't answered with 2xx. */
export async function sendAll(target: Target, connections: number, calls: Iterable<Call>): Promise<unknown[]> {
  const waiting = calls[Symbol.iterator]();
  const answers: unknown[] = [];
  const work = async () => {
    const client = await Connection.open(target);
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const place = answers.push(null) - 1;
      const { status, text } = await client.send(next.value);
      if (status >= 300) throw new Error(`${next.value.method} ${next.value.path}: ${status} ${text}`);
      answers[place] = JSON.parse(text);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, work));
  return answers;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One kept-alive HTTP/1.1 connection on which one request is in flight at a time. */
class Connection {
  private received: Buffer = Buffer.alloc(0);
  private settle: ((answer: Answer) => void) | null = null;
  private fail: ((error: Error) => void) | null = null;
  private readonly head: string;

  private constructor(
    private readonly socket: net.Socket,
    { port, headers }: Target,
  ) {
    const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.head = `host: 127.0.0.1:${port}\r\nconnection: keep-alive\r\n${own.join('')}`;
    socket.on('data', (chunk) => this.receive(chunk));
    for (const event of ['error', 'close'] as const) {
      socket.on(event, () => this.fail?.(new Error('the server closed the connection')));
    }
  }

  static async open(target: Target): Promise<Connection> {
    const socket = net.connect({ port: target.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket, target);
  }

  send({ method, path, body }: Call): Promise<Answer> {
    const content =
      body === undefined
        ? '\r\n'
        : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    return new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
      this.socket.write(`${method} ${path} HTTP/1.1\r\n${this.head}${content}`);
    });
  }

  close(): void {
    this.fail = null;
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const bodyAt = this.received.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    if (bodyAt < END_OF_HEAD.length) return;
    const head = this.received.toString('latin1', 0, bodyAt);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) throw new Error(`an answer without a length:\n${head}`);
    if (this.received.length < bodyAt + length) return;
    const text = this.received.toString('utf8', bodyAt, bodyAt + length);
    this.received = Buffer.alloc(0);
    this.settle?.({ status: Number(head.slice(9, 12)), text });
  }
}
