export interface RequestLine {
  at: number;
  id: string;
  method: string;
  path: string;
  idempotency_key: string | null;
  /** null: hung up on. */
  status: number | null;
  replayed: boolean;
  fault: string | null;
}

const LONGEST = 5000;

/** The last requests as they were answered, in memory: what a test may ask about calls that changed nothing. */
export class RequestLog {
  readonly entries: RequestLine[] = [];

  add(line: RequestLine): void {
    this.entries.push(line);
    if (this.entries.length > LONGEST) this.entries.shift();
  }
}
