import { actsOf, type Act, type Step } from './fail-points.js';
import type { Trial } from './laboratory.js';
import { Random } from './random.js';
import { DELIVERIES } from './world.js';

export interface Wanted {
  readonly seed: number;
  /** How many; 0: the whole matrix once. */
  readonly runs: number;
  /** Only steps whose label holds this. */
  readonly point?: string | undefined;
}

/**
 * The trials of a seed. First the matrix: each step of each flow with each act it can suffer, and each flow with each
 * manner of delivery. Then, up to `runs`, two strikes in one run (the second often hits the recovery from the first) with
 * any delivery. The order is the seed's, so that a part of it is a fair sample of all.
 */
export function trialsOf(steps: ReadonlyMap<string, readonly Step[]>, { seed, runs, point }: Wanted): Trial[] {
  const random = new Random(seed);
  const seeded = (trial: Omit<Trial, 'seed'>): Trial => ({ ...trial, seed: random.below(2 ** 31) });
  const matrix = random.shuffled([...steps].flatMap(([flow, of]) => matrixOf(flow, of, point).map(seeded)));
  if (runs === 0 || point !== undefined) return runs === 0 ? matrix : matrix.slice(0, runs);
  const flows = [...steps.keys()];
  while (matrix.length < runs) {
    const flow = random.pick(flows);
    const of = steps.get(flow)!;
    const strikes = [strikeAt(random, of), strikeAt(random, of)].toSorted((a, b) => a.step - b.step);
    matrix.push(seeded({ flow, strikes, delivery: random.pick(DELIVERIES) }));
  }
  return matrix.slice(0, runs);
}

function matrixOf(flow: string, steps: readonly Step[], point: string | undefined): Omit<Trial, 'seed'>[] {
  const wanted = (step: Step) => point === undefined || `${step.kind} ${step.label}`.includes(point);
  const single = steps.flatMap((step, number) =>
    wanted(step)
      ? actsOf(step).map((act) => ({ flow, strikes: [{ step: number, act }], delivery: 'in_order' as const }))
      : [],
  );
  const deliveries = DELIVERIES.map((delivery) => ({ flow, strikes: [], delivery }));
  return point === undefined ? [...single, ...deliveries] : single;
}

function strikeAt(random: Random, steps: readonly Step[]): { step: number; act: Act } {
  const step = random.below(steps.length);
  return { step, act: random.pick(actsOf(steps[step]!)) };
}
