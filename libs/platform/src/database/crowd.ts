import { AsyncLocalStorage } from 'node:async_hooks';

interface Ask {
  readonly member: Member;
  readonly asked: unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks that can be answered by one statement. */
interface Group {
  readonly run: (asked: readonly unknown[]) => Promise<readonly unknown[]>;
  readonly asks: Ask[];
}

interface Member {
  readonly crowd: Crowd;
  waitsFor: number;
}

/**
 * Work of many that goes on side by side in one transaction, each with entities of its own. A question to the database
 * waits until every one of them has asked something or is done; then all that is alike is asked in one statement.
 * Code says what is to be done for one; the statements are for many.
 */
export class Crowd {
  private static readonly here = new AsyncLocalStorage<Member>();
  private readonly waiting = new Map<unknown, Group>();
  private active = 0;
  private idle = 0;
  private answering = false;

  private constructor(private readonly transaction: object) {}

  /** Whose work in the transaction runs now; null outside of its crowd, also in a transaction of a member's own. */
  static memberIn(transaction: unknown): Member | null {
    const member = this.here.getStore();
    return member && member.crowd.transaction === transaction && member.crowd.active > 0 ? member : null;
  }

  /** Waits for all, also when one fails: the others' statements would go on in a transaction that is over. */
  static async run(transaction: object, works: readonly (() => Promise<void>)[]): Promise<void> {
    const crowd = new Crowd(transaction);
    crowd.active = works.length;
    const ended = await Promise.allSettled(
      works.map((work) => this.here.run({ crowd, waitsFor: 0 }, work).finally(() => crowd.leave())),
    );
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  }

  /** @param alike what may be answered together has the same. */
  ask<A, R>(member: Member, alike: unknown, asked: A, run: (asked: readonly A[]) => Promise<readonly R[]>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      let group = this.waiting.get(alike);
      if (!group) this.waiting.set(alike, (group = { run: run as Group['run'], asks: [] }));
      group.asks.push({ member, asked, resolve: resolve as Ask['resolve'], reject });
      if (member.waitsFor++ === 0) this.idle++;
      void this.answer();
    });
  }

  private leave(): void {
    this.active--;
    void this.answer();
  }

  private async answer(): Promise<void> {
    if (this.answering || this.idle < this.active) return;
    this.answering = true;
    const groups = [...this.waiting.values()];
    this.waiting.clear();
    for (const group of groups) await this.answerGroup(group);
    this.answering = false;
    if (this.waiting.size > 0) void this.answer();
  }

  private async answerGroup({ run, asks }: Group): Promise<void> {
    const settled = await run(asks.map(({ asked }) => asked)).then(
      (answers) =>
        asks.map(
          ({ resolve }, n) =>
            () =>
              resolve(answers[n]),
        ),
      (error: unknown) =>
        asks.map(
          ({ reject }) =>
            () =>
              reject(error),
        ),
    );
    for (const { member } of asks) if (--member.waitsFor === 0) this.idle--;
    for (const settle of settled) settle();
  }
}
