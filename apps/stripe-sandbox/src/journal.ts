import { closeSync, fdatasync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const syncToDisk = promisify(fdatasync);
const NEWLINE = 0x0a;

/**
 * An append-only file of JSON lines. `append` hands the line to the operating system at once (survives kill -9);
 * `flushed` waits until it is on the disk (survives a power cut), sharing one sync among all who wait.
 */
export class Journal {
  readonly #fd: number;
  readonly path: string;
  #size: number;
  #appended = 0;
  #synced = 0;
  #running: Promise<void> | undefined;

  private constructor(path: string, fd: number, size: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
  }

  /** Opens the journal of a folder and reads it; a last line cut off by a crash was never answered for and is dropped. */
  static open(dir: string): { journal: Journal; lines: unknown[] } {
    mkdirSync(dir, { recursive: true });
    const path = join(dir, 'journal.jsonl');
    const fd = openSync(path, 'a+', 0o600);
    const bytes = readFileSync(path);
    const complete = bytes.lastIndexOf(NEWLINE) + 1;
    if (complete < bytes.length) ftruncateSync(fd, complete);
    return { journal: new Journal(path, fd, complete), lines: parseLines(bytes.subarray(0, complete)) };
  }

  append(line: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      // A full disk must not leave half a line for the next one to follow.
      ftruncateSync(this.#fd, this.#size);
      throw error;
    }
    this.#size += bytes.length;
    this.#appended += 1;
  }

  /** Every line so far, from the file itself: what a test asserts is what would be rebuilt. */
  read(): unknown[] {
    return parseLines(readFileSync(this.path));
  }

  async flushed(): Promise<void> {
    const target = this.#appended;
    while (this.#synced < target) {
      this.#running ??= this.#sync();
      await this.#running;
    }
  }

  async close(): Promise<void> {
    await this.flushed();
    closeSync(this.#fd);
  }

  async #sync(): Promise<void> {
    const upTo = this.#appended;
    try {
      await syncToDisk(this.#fd);
      this.#synced = upTo;
    } finally {
      this.#running = undefined;
    }
  }
}

function parseLines(bytes: Buffer): unknown[] {
  const lines: unknown[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    const text = bytes.toString('utf8', start, end);
    try {
      lines.push(JSON.parse(text));
    } catch {
      throw new Error(`the journal is damaged at line ${lines.length + 1}`);
    }
    start = end + 1;
  }
  return lines;
}
