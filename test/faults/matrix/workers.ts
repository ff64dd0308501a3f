import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome, Trial } from './laboratory.js';
import type { Order } from './worker.js';

/** A process grows with every application it has started and left behind: after so many trials it makes room for another. */
const TRIALS_OF_A_PROCESS = 150;

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** The processes that run trials, each with a laboratory of its own. */
export class Workers {
  private finishing = false;

  private constructor(
    private readonly args: readonly string[],
    private readonly children: ChildProcess[],
  ) {}

  /** @param args of `worker.ts`: the PostgreSQL server and the folder of the build. */
  static async start(count: number, args: readonly string[]): Promise<Workers> {
    return new Workers(args, await Promise.all(Array.from({ length: count }, () => begin(args))));
  }

  ask<T>(order: Order): Promise<T> {
    return ask<T>(this.children[0]!, order);
  }

  async runAll(
    trials: readonly Trial[],
    tell: (done: number, of: number, outcome: Outcome) => void,
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    let next = 0;
    const work = async (place: number) => {
      for (let done = 1; next < trials.length && !this.finishing; done++) {
        const outcome = await ask<Outcome>(this.children[place]!, { run: trials[next++]! });
        outcomes.push(outcome);
        tell(outcomes.length, trials.length, outcome);
        if (done % TRIALS_OF_A_PROCESS === 0) {
          await end(this.children[place]!);
          this.children[place] = await begin(this.args);
        }
      }
    };
    await Promise.all(this.children.map((_child, place) => work(place)));
    return outcomes;
  }

  /** No further trial is begun. */
  finish(): void {
    this.finishing = true;
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map(end));
  }
}

async function begin(args: readonly string[]): Promise<ChildProcess> {
  // A group of its own: Ctrl+C reaches us only, and we end it.
  const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), args, { detached: true });
  await answerOf(child);
  return child;
}

async function ask<T>(child: ChildProcess, order: Order): Promise<T> {
  child.send(order);
  const { value, error } = await answerOf(child);
  if (error) throw new Error(error);
  return value as T;
}

function answerOf(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a worker ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (answer: Answer) => {
      child.removeListener('exit', ended);
      resolve(answer);
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
