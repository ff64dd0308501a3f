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
  hasLeft: boolean;
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
  private answering: Promise<void> | null = null;
  private failure: { readonly error: unknown } | null = null;

  private constructor(private readonly transaction: object) {}

  /** Whose work in the transaction runs now; null outside of its crowd, also in a transaction of a member's own. */
  static memberIn(transaction: unknown): Member | null {
    const member = this.here.getStore();
    return member && member.crowd.transaction === transaction && member.crowd.active > 0 ? member : null;
  }

  /**
   * Waits for all, also when one fails: the others' statements would go on in a transaction that is over. Throws what
   * failed first, which is why the others did.
   */
  static async run(transaction: object, works: readonly (() => Promise<void>)[]): Promise<void> {
    const crowd = new Crowd(transaction);
    crowd.active = works.length;
    await Promise.all(works.map((work) => this.here.run({ crowd, waitsFor: 0, hasLeft: false }, () => crowd.do(work))));
    await crowd.answering;
    if (crowd.failure) throw crowd.failure.error;
  }

  /** @param alike what may be answered together has the same. */
  ask<A, R>(member: Member, alike: unknown, asked: A, run: (asked: readonly A[]) => Promise<readonly R[]>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      let group = this.waiting.get(alike);
      if (!group) this.waiting.set(alike, (group = { run: run as Group['run'], asks: [] }));
      group.asks.push({ member, asked, resolve: resolve as Ask['resolve'], reject });
      if (member.waitsFor++ === 0) this.idle++;
      this.answer();
    });
  }

  private async do(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => this.fail(error));
    this.leave(Crowd.here.getStore()!);
  }

  /** Whoever leaves takes along what it has asked and waits for no more. */
  private leave(member: Member): void {
    for (const [alike, { asks, run }] of this.waiting) {
      const others = asks.filter((ask) => ask.member !== member);
      for (const ask of asks) if (ask.member === member) ask.reject(new Error('its work is over'));
      if (others.length === 0) this.waiting.delete(alike);
      else this.waiting.set(alike, { run, asks: others });
    }
    member.hasLeft = true;
    if (member.waitsFor > 0) this.idle--;
    this.active--;
    this.answer();
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
  }

  private answer(): void {
    if (this.answering || this.waiting.size === 0 || this.idle < this.active) return;
    const groups = [...this.waiting.values()];
    this.waiting.clear();
    this.answering = this.answerAll(groups);
  }

  private async answerAll(groups: readonly Group[]): Promise<void> {
    for (const group of groups) await this.answerGroup(group);
    this.answering = null;
    this.answer();
  }

  private async answerGroup({ run, asks }: Group): Promise<void> {
    const settle = await run(asks.map(({ asked }) => asked)).then(
      (answers) => (ask: Ask, n: number) => ask.resolve(answers[n]),
      (error: unknown) => {
        this.fail(error);
        return (ask: Ask) => ask.reject(error);
      },
    );
    for (const { member } of asks) if (--member.waitsFor === 0 && !member.hasLeft) this.idle--;
    asks.forEach(settle);
  }
}
