import type { Outcome } from './laboratory.js';

/** How the acts are called in the table. */
const COLUMNS = [
  ['crash', ['crash_before', 'crash_after']],
  ['throw', ['refuse']],
  ['drop before', ['drop_before', 'cut_before']],
  ['execute, then drop', ['execute_then_drop', 'cut_after', 'half_body']],
  ['4xx, 5xx', ['500_stored', '500_after_doing', '503', '429', '409']],
  ['reorder', ['events_first', 'reversed', 'shuffled']],
  ['duplicate', ['thrice', 'twins']],
  ['never told', ['never']],
] as const satisfies [string, readonly string[]][];

/** What went wrong, sorted into the promises. */
const KINDS = [
  ['double charges', 'double charge'],
  ['lost payments', 'lost payment'],
  ['never paid', 'never paid'],
  ['top-ups without exactly one lot', 'top-up'],
  ['wrong books', 'books'],
  ['broken invariants', 'audit'],
  ['did not end', 'did not end'],
] as const;

export const isClean = ({ faults }: Outcome): boolean => faults.length === 0;

/** The table of a run, in Markdown: per flow and act how many runs, and how many of them ended clean. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const flows = [...new Set(outcomes.map(({ flow }) => flow))].sort();
  const header = ['flow', 'steps', ...COLUMNS.map(([name]) => name), 'two faults', 'runs', 'clean'];
  const rows = flows.map((flow) => {
    const of = outcomes.filter((outcome) => outcome.flow === flow);
    const cells = COLUMNS.map(([, acts]) =>
      count(of.filter((one) => single(one) && acts.includes(actOf(one) as never))),
    );
    const steps = Math.max(...of.map((one) => one.steps.length));
    const clean = of.filter(isClean).length;
    return [flow, steps, ...cells, count(of.filter((one) => !single(one))), of.length, clean];
  });
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

/** One line for each promise. */
export function verdictOf(outcomes: readonly Outcome[]): string {
  const counts = KINDS.map(([name, prefix]) => {
    const broken = outcomes.filter(({ faults }) => faults.some((fault) => fault.startsWith(prefix)));
    return `${broken.length} ${name}`;
  });
  const unstruck = outcomes.filter(({ strikes, struck }) => strikes.length > 0 && struck.length === 0).length;
  return `${outcomes.length} runs: ${counts.join(', ')}. ${unstruck} ended before their fault struck.`;
}

/** How to see one run again, and what was wrong with it. */
export function failureOf({ flow, strikes, delivery, seed, struck, faults }: Outcome): string {
  const again = `--flow '${flow}' --again '${JSON.stringify({ strikes, delivery, seed })}'`;
  const happened = struck.map(({ step, act }) => `${act} at ${step.kind} ${step.label}`).join(', then ');
  return `${flow}: ${happened || delivery}\n  npm run faults -- ${again}\n  ${faults.join('\n  ')}`;
}

const single = ({ strikes, delivery }: Outcome): boolean =>
  strikes.length === 1 ? delivery === 'in_order' : strikes.length === 0;
const actOf = ({ strikes, delivery }: Outcome): string => strikes[0]?.act ?? delivery;
function count(outcomes: readonly Outcome[]): string {
  const clean = outcomes.filter(isClean).length;
  if (outcomes.length === 0) return '';
  return clean === outcomes.length ? String(clean) : `**${clean} of ${outcomes.length}**`;
}
