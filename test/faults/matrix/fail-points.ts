/** A step of the server as the world sees it: a commit, a statement that commits by itself, a call to Stripe. */
export interface Step {
  readonly kind: 'commit' | 'statement' | 'call';
  /** What it writes or asks: the tables, or the method and path without ids. */
  readonly label: string;
}

/**
 * What can happen to a step. `crash`: the process is gone, before the step reaches the other side or after the other side
 * has done it. `cut`: the process lives, its connection broke, before or after. `refuse`: the other side says no.
 */
export const DATABASE_ACTS = ['crash_before', 'crash_after', 'refuse', 'cut_before', 'cut_after'] as const;
export const CALL_ACTS = [
  'crash_before',
  'crash_after',
  'drop_before',
  'execute_then_drop',
  'half_body',
  '500_stored',
  '500_after_doing',
  '503',
  '429',
  '409',
  'events_first',
] as const;
/** A read changes nothing: what is lost with its answer is the answer. */
const READ_ACTS: readonly Act[] = ['crash_before', 'execute_then_drop', '503'];

export type DatabaseAct = (typeof DATABASE_ACTS)[number];
export type CallAct = (typeof CALL_ACTS)[number];
export type Act = DatabaseAct | CallAct;

export const actsOf = ({ kind, label }: Step): readonly Act[] =>
  kind !== 'call' ? DATABASE_ACTS : label.startsWith('GET') ? READ_ACTS : CALL_ACTS;

export interface Strike {
  /** The number of the step in its run, from 0. */
  readonly step: number;
  readonly act: Act;
}

/**
 * Counts the steps of a run and says which of them something happens to. Nothing of it is in the server: the steps are
 * seen on its connections (`database-proxy.ts`, `stripe-proxy.ts`).
 */
export class FailPoints {
  readonly steps: Step[] = [];
  readonly struck: { readonly step: Step; readonly act: Act }[] = [];
  private counting = false;

  constructor(private readonly strikes: readonly Strike[]) {}

  begin(): void {
    this.counting = true;
  }

  end(): void {
    this.counting = false;
  }

  /** A step is about to happen. @returns what is to happen to it; null: nothing. */
  arrive(step: Step): Act | null {
    if (!this.counting) return null;
    const number = this.steps.push(step) - 1;
    const strike = this.strikes.find((one) => one.step === number && actsOf(step).includes(one.act));
    if (!strike) return null;
    this.struck.push({ step, act: strike.act });
    return strike.act;
  }
}
