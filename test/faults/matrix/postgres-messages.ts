/** The messages of PostgreSQL's protocol 3 as far as a proxy must know them: a type byte, a length, a body. */
export interface Message {
  /** One letter; empty for a connection's first message, which has no type. */
  readonly type: string;
  readonly bytes: Buffer;
}

const CANCEL_OR_TLS = new Set([80877102, 80877103, 80877104]);
const HEADER = 5;

/** Cuts the bytes of one side of a connection into messages. */
export class Messages {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private atStart: boolean) {}

  push(chunk: Buffer): Message[] {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const found: Message[] = [];
    for (let message = this.next(); message; message = this.next()) found.push(message);
    return found;
  }

  private next(): Message | null {
    const typeLength = this.atStart ? 0 : 1;
    if (this.rest.length < typeLength + 4) return null;
    const length = this.rest.readInt32BE(typeLength) + typeLength;
    if (this.rest.length < length) return null;
    const bytes = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    const type = typeLength === 0 ? '' : String.fromCharCode(bytes[0]!);
    if (typeLength === 0 && !CANCEL_OR_TLS.has(bytes.readInt32BE(4))) this.atStart = false;
    return { type, bytes };
  }
}

const textAt = (bytes: Buffer, from: number): string => bytes.toString('utf8', from, bytes.indexOf(0, from));

/** The text of a simple query. */
export const queryText = ({ bytes }: Message): string => textAt(bytes, HEADER);

/** The name and the text of a Parse. */
export function parsed({ bytes }: Message): { name: string; text: string } {
  const name = textAt(bytes, HEADER);
  return { name, text: textAt(bytes, HEADER + Buffer.byteLength(name) + 1) };
}

/** The statement that a Bind names. */
export function boundName({ bytes }: Message): string {
  const portal = textAt(bytes, HEADER);
  return textAt(bytes, HEADER + Buffer.byteLength(portal) + 1);
}

export function simpleQuery(text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const header = Buffer.alloc(HEADER);
  header.write('Q');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** A refusal, after which the connection is ready and in no transaction. */
export function refusal(state: string): Buffer {
  const fields = ['SERROR', 'VERROR', `C${state}`, 'Mrefused by the fault matrix'].map((field) => `${field}\0`);
  const body = Buffer.from(`${fields.join('')}\0`);
  const header = Buffer.alloc(HEADER);
  header.write('E');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body, READY]);
}

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** The startup message with another database. */
export function withDatabase({ bytes }: Message, database: string): Buffer {
  const fields = bytes.toString('utf8', 8, bytes.length - 2).split('\0');
  const at = fields.findIndex((field, i) => i % 2 === 0 && field === 'database');
  if (at === -1) fields.push('database', database);
  else fields[at + 1] = database;
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const header = Buffer.alloc(8);
  header.writeInt32BE(body.length + 8, 0);
  header.writeInt32BE(bytes.readInt32BE(4), 4);
  return Buffer.concat([header, body]);
}

/** Tables a statement writes to, by its text; empty for one that only reads or locks. */
export function tablesWritten(text: string): string[] {
  const found = text.matchAll(/\b(?:insert\s+into|delete\s+from|update)\s+"?([a-z_]+)"?/gi);
  return [...found].map(([, table]) => table!.toLowerCase()).filter((table) => !NO_TABLE.has(table));
}

/** What follows "update" in `for update of`, `for update skip locked`, `do update set`. */
const NO_TABLE = new Set(['of', 'skip', 'nowait', 'set']);
