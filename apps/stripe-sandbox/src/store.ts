import type { Journal } from './journal.js';
import type { TableName, Tables } from './tables.js';

/** Who asked for a change: shown in the journal and copied into the `request` of events. */
export interface Cause {
  by: 'api' | 'page' | 'control' | 'time' | 'delivery';
  request?: string;
  method?: string;
  path?: string;
  idempotency_key?: string | null;
}

export interface Change {
  table: TableName;
  id: string;
  value: Tables[TableName] | null;
}

export interface Entry {
  seq: number;
  at: number;
  cause: Cause;
  changes: Change[];
}

interface Unit {
  cause: Cause;
  changes: Change[];
  before: Change[];
}

/** All state, in memory, rebuilt from the journal. Changes happen in units: one journal line each, all or nothing. */
export class Store {
  readonly #tables = new Map<TableName, Map<string, Tables[TableName]>>();
  readonly #listeners: ((entry: Entry) => void)[] = [];
  readonly #now: () => number;
  #seq = 0;
  #unit: Unit | undefined;

  constructor(
    readonly journal: Journal,
    lines: unknown[],
    now: () => number,
  ) {
    this.#now = now;
    for (const entry of lines as Entry[]) {
      for (const change of entry.changes) this.#apply(change);
      this.#seq = entry.seq;
    }
  }

  get<T extends TableName>(table: T, id: string): Tables[T] | undefined {
    return this.#rows(table).get(id);
  }

  /** Rows in the order of their creation. */
  all<T extends TableName>(table: T): Tables[T][] {
    return [...this.#rows(table).values()];
  }

  put<T extends TableName>(table: T, row: Tables[T] & { id: string }): void {
    this.#change({ table, id: row.id, value: row });
  }

  remove(table: TableName, id: string): void {
    this.#change({ table, id, value: null });
  }

  get cause(): Cause {
    if (!this.#unit) throw new Error('no unit of change is open');
    return this.#unit.cause;
  }

  onCommit(listener: (entry: Entry) => void): void {
    this.#listeners.push(listener);
  }

  /** Runs synchronous work as one unit: an error undoes all of it. */
  write<R>(cause: Cause, work: () => R): R {
    if (this.#unit) throw new Error('a unit of change is already open');
    this.#unit = { cause, changes: [], before: [] };
    try {
      const result = work();
      this.#commit(this.#unit);
      return result;
    } catch (error) {
      this.undo();
      throw error;
    } finally {
      this.#unit = undefined;
    }
  }

  /** Takes back what the open unit has changed so far; it may go on from there. */
  undo(): void {
    const unit = this.#unit;
    if (!unit) return;
    for (const change of unit.before.reverse()) this.#apply(change);
    unit.changes = [];
    unit.before = [];
  }

  #commit(unit: Unit): void {
    if (unit.changes.length === 0) return;
    const entry: Entry = {
      seq: this.#seq + 1,
      at: this.#now(),
      cause: unit.cause,
      changes: latestOfEach(unit.changes),
    };
    this.journal.append(entry);
    this.#seq = entry.seq;
    queueMicrotask(() => this.#listeners.forEach((listener) => listener(entry)));
  }

  #change(change: Change): void {
    if (!this.#unit) throw new Error('a change outside a unit');
    const previous = this.#rows(change.table).get(change.id);
    this.#unit.before.push({ ...change, value: previous ?? null });
    this.#unit.changes.push(change);
    this.#apply(change);
  }

  #apply({ table, id, value }: Change): void {
    if (value === null) this.#rows(table).delete(id);
    else (this.#rows(table) as Map<string, Tables[TableName]>).set(id, value);
  }

  #rows<T extends TableName>(table: T): Map<string, Tables[T]> {
    let rows = this.#tables.get(table);
    if (!rows) this.#tables.set(table, (rows = new Map()));
    return rows as Map<string, Tables[T]>;
  }
}

/** A row written twice in one unit is journalled once, at its first place, with its last value. */
function latestOfEach(changes: Change[]): Change[] {
  const latest = new Map<string, Change>();
  for (const change of changes) latest.set(`${change.table} ${change.id}`, change);
  return [...latest.values()];
}
