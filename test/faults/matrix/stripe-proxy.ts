import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CallAct, FailPoints } from './fail-points.js';

export interface StripeProxyOptions {
  readonly target: string;
  readonly points: FailPoints;
  /** Ends the process whose calls these are. */
  readonly crash: () => void;
  /** Orders a fault of the sandbox's own for what it is asked next. */
  readonly order: (fault: object) => Promise<void>;
  /** Tells everything Stripe has to tell, before the answer of the call leaves. */
  readonly tellEvents: () => Promise<void>;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The client sends a call whose connection broke once more by itself: it must break again to be lost. */
const TWICE = 2;
/** The sandbox's own name of an act, and how often it has to strike to reach our code. */
const ORDERS: Partial<Record<CallAct, { act: string; times?: number; execute?: boolean }>> = {
  drop_before: { act: 'drop_before', times: TWICE },
  execute_then_drop: { act: 'execute_then_drop', times: TWICE },
  '500_stored': { act: '500_stored' },
  '500_after_doing': { act: '500_stored', execute: true },
  '503': { act: '503' },
  '429': { act: '429' },
  '409': { act: '409' },
};

/** Between one server process and the sandbox: sees every call, and can be where it goes wrong. */
export class StripeProxy {
  private readonly server: http.Server;
  private readonly agent = new http.Agent({ keepAlive: true });

  private constructor(readonly options: StripeProxyOptions) {
    this.server = http.createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: StripeProxyOptions): Promise<StripeProxy> {
    const proxy = new StripeProxy(options);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Every connection ends now, and none is taken any more. */
  sever(): void {
    this.server.close();
    this.server.closeAllConnections();
    this.agent.destroy();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked: Asked = {
      method: request.method!,
      path: request.url!,
      headers: request.headers,
      body: await wholeOf(request),
    };
    const label = `${asked.method} ${withoutIds(asked.path)}`;
    const act = this.options.points.arrive({ kind: 'call', label }) as CallAct | null;
    if (act === 'crash_before') return this.options.crash();
    const ordered = act === null ? undefined : ORDERS[act];
    if (ordered) await this.options.order({ ...ordered, match: { method: asked.method, path: pathOf(asked.path) } });
    const answer = await this.forward(asked);
    if (act === 'crash_after') return this.options.crash();
    if (act === 'events_first') await this.options.tellEvents();
    const body = act === 'half_body' ? answer.body.subarray(0, answer.body.length / 2) : answer.body;
    response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
    response.end(body);
  }

  private forward({ method, path, headers, body }: Asked): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const request = http.request(
        `${this.options.target}${path}`,
        { method, headers, agent: this.agent },
        (answer) => {
          wholeOf(answer).then(
            (whole) => resolve({ status: answer.statusCode!, headers: withoutHops(answer.headers), body: whole }),
            reject,
          );
        },
      );
      request.once('error', reject);
      request.end(body);
    });
  }
}

async function wholeOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What is about the connection only stays on it. */
const withoutHops = (headers: http.IncomingHttpHeaders): http.IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOPS.has(name)));
const HOPS = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const pathOf = (url: string): string => url.split('?')[0]!;

/** `/v1/payment_intents/pi_123/confirm` is a step of the same kind for every id. */
const withoutIds = (url: string): string => pathOf(url).replaceAll(/\/[a-z]+_[A-Za-z0-9_]{12,}/g, '/*');
