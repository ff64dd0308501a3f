import pg from 'pg';

/** A statement is prepared when it comes for this time: one that comes once isn't worth keeping. */
const PREPARED_FROM_USE = 3;
/** Texts that are counted, and so the most a connection keeps: the ORM writes a text for each length of a list. */
const MAX_TEXTS = 400;
/** Time for its holder to give a broken connection back himself. */
const GIVEN_BACK_AFTER_MS = 100;
const FEATURE_NOT_SUPPORTED = '0A000';

interface Statement {
  uses: number;
  readonly name: string;
  /** False after a migration changed the columns it answers with: then PostgreSQL refuses the prepared one. */
  preparable: boolean;
}

/**
 * A connection that prepares the statements it is given often, so that PostgreSQL parses and plans them once. Parsing
 * and planning is most of what a small statement costs. The counts are the process's, the prepared statements are the
 * connection's own. A connection that breaks goes back to the pool, whoever holds it.
 */
export class PreparingClient extends pg.Client {
  private static readonly statements = new Map<string, Statement>();

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.once('end', () => setTimeout(() => this.giveBack(), GIVEN_BACK_AFTER_MS).unref());
  }

  /**
   * Whoever holds a connection gives it back to the pool when he has ended his transaction. On a broken one that fails
   * too, and kysely then keeps it: the pool would run dry, one connection after the other.
   */
  private giveBack(): void {
    try {
      (this as { release?: (broken: boolean) => void }).release?.(true);
    } catch {
      // It was given back.
    }
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- the driver's own overloads
  override query(...args: any[]): any {
    const [text, values] = args as [unknown, unknown];
    if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0 || args.length > 2) {
      return super.query(...(args as [string]));
    }
    const statement = PreparingClient.counted(text);
    if (!statement?.preparable || statement.uses < PREPARED_FROM_USE) return super.query(text, values);
    return super.query({ name: statement.name, text, values }).catch((error: pg.DatabaseError) => {
      if (error.code === FEATURE_NOT_SUPPORTED) statement.preparable = false;
      throw error;
    });
  }

  private static counted(text: string): Statement | undefined {
    let statement = this.statements.get(text);
    if (!statement && this.statements.size < MAX_TEXTS) {
      statement = { uses: 0, name: `drawdown_${this.statements.size}`, preparable: true };
      this.statements.set(text, statement);
    }
    if (statement) statement.uses++;
    return statement;
  }
}
