import net from 'node:net';
import type { DatabaseAct, FailPoints } from './fail-points.js';
import {
  boundName,
  Messages,
  parsed,
  queryText,
  refusal,
  simpleQuery,
  tablesWritten,
  type Message,
} from './postgres-messages.js';

export interface DatabaseProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  readonly points: FailPoints;
  /** Ends the process whose connections these are. */
  readonly crash: () => void;
  /** The SQLSTATE of a refusal. */
  readonly refuseWith: string;
}

/** Between one server process and PostgreSQL: sees every commit, and can be where it goes wrong. */
export class DatabaseProxy {
  private readonly sessions = new Set<Session>();
  private readonly server: net.Server;

  private constructor(readonly options: DatabaseProxyOptions) {
    this.server = net.createServer({ noDelay: true }, (client) => {
      const session = new Session(client, options);
      this.sessions.add(session);
      client.once('close', () => this.sessions.delete(session));
    });
  }

  static async start(options: DatabaseProxyOptions): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(options);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** Every connection ends now, and none is taken any more. */
  sever(): void {
    this.server.close();
    for (const session of this.sessions) session.cut();
  }
}

/** What the proxy does when PostgreSQL has answered the step in hand. */
type Ending = 'pass' | 'crash' | 'cut' | 'refuse';

/** One connection. The driver waits for each answer before it asks again, so that one step is in hand at most. */
class Session {
  private readonly upstream: net.Socket;
  private readonly asked = new Messages(true);
  private readonly answered = new Messages(false);
  private readonly texts = new Map<string, string>();
  private batch: Message[] = [];
  private batchText = '';
  private inTransaction = false;
  private written = new Set<string>();
  private ending: Ending = 'pass';

  constructor(
    private readonly client: net.Socket,
    private readonly options: DatabaseProxyOptions,
  ) {
    this.upstream = net.connect({ ...options.target, noDelay: true });
    client.on('data', (chunk) => this.asked.push(chunk).forEach((message) => this.ask(message)));
    this.upstream.on('data', (chunk) => this.answered.push(chunk).forEach((message) => this.answer(message)));
    for (const socket of [client, this.upstream]) {
      socket.on('error', () => this.cut());
      socket.on('close', () => this.cut());
    }
  }

  cut(): void {
    this.client.destroy();
    this.upstream.destroy();
  }

  private ask(message: Message): void {
    if (this.client.destroyed) return;
    switch (message.type) {
      case 'Q':
        return this.step(queryText(message), [message]);
      case 'P': {
        const { name, text } = parsed(message);
        this.texts.set(name, text);
        break;
      }
      case 'B':
        this.batchText += `${this.texts.get(boundName(message)) ?? ''};`;
        break;
      case 'S': {
        const [text, batch] = [this.batchText, [...this.batch, message]];
        this.batch = [];
        this.batchText = '';
        return this.step(text, batch);
      }
      case 'D':
      case 'E':
      case 'H':
      case 'C':
        break;
      default:
        this.upstream.write(message.bytes);
        return;
    }
    this.batch.push(message);
  }

  /** A whole request: forwarded, unless something is to happen to it. */
  private step(text: string, messages: readonly Message[]): void {
    const act = this.judge(text);
    const forward = () => this.upstream.write(Buffer.concat(messages.map(({ bytes }) => bytes)));
    switch (act) {
      case null:
        forward();
        return;
      case 'crash_before':
        return this.options.crash();
      case 'cut_before':
        return this.cut();
      case 'refuse':
        if (!/^\s*commit\b/i.test(text)) return void this.client.write(refusal(this.options.refuseWith));
        this.ending = 'refuse';
        this.upstream.write(simpleQuery('rollback'));
        return;
      case 'crash_after':
      case 'cut_after':
        this.ending = act === 'crash_after' ? 'crash' : 'cut';
        forward();
        return;
    }
  }

  /** Keeps the account of the open transaction; what commits writes is a step. */
  private judge(text: string): DatabaseAct | null {
    const tables = tablesWritten(text);
    const { points } = this.options;
    if (/^\s*(begin|start transaction)\b/i.test(text)) {
      this.inTransaction = true;
      this.written = new Set();
    } else if (/^\s*(commit|rollback(?!\s+to))\b/i.test(text)) {
      const committed = /^\s*commit\b/i.test(text) ? [...this.written] : [];
      this.inTransaction = false;
      this.written = new Set();
      if (committed.length > 0) return points.arrive({ kind: 'commit', label: labelOf(committed) }) as DatabaseAct;
    } else if (this.inTransaction) {
      for (const table of tables) this.written.add(table);
    } else if (tables.length > 0) {
      return points.arrive({ kind: 'statement', label: labelOf(tables) }) as DatabaseAct;
    }
    return null;
  }

  private answer(message: Message): void {
    if (this.client.destroyed) return;
    if (this.ending === 'pass') {
      this.client.write(message.bytes);
      return;
    }
    if (message.type !== 'Z') return;
    const ending = this.ending;
    this.ending = 'pass';
    if (ending === 'crash') this.options.crash();
    else if (ending === 'cut') this.cut();
    else this.client.write(refusal(this.options.refuseWith));
  }
}

/** What everything writes (events, timers, answers kept) says little of a step where more is written. */
const ACCOMPANYING = new Set(['outbox_event', 'outbox_delivery', 'due_work', 'idempotency_key', 'invoice_number']);

function labelOf(tables: readonly string[]): string {
  const all = [...new Set(tables)].sort();
  const telling = all.filter((table) => !ACCOMPANYING.has(table));
  return (telling.length > 0 ? telling : all).join(' ');
}
