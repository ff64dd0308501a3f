import { readFileSync } from 'node:fs';
import { AUTUMN } from './autumn.js';
import type { Case, System } from './case.js';
import { KILLBILL } from './killbill.js';
import { LAGO } from './lago.js';
import { OPENMETER } from './openmeter.js';

const SYSTEMS: [string, System][] = [
  ['autumn', AUTUMN],
  ['killbill', KILLBILL],
  ['lago', LAGO],
  ['openmeter', OPENMETER],
];
const LEAST_SHARE = 0.7;

const casesOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')) as Case[];

/** Why a case is left out, by its id. */
function leftOutOf({ leftOut }: System): Map<string, string> {
  return new Map(Object.entries(leftOut).flatMap(([reason, ids]) => ids.split(' ').map((id) => [id, reason] as const)));
}

const tally = { all: 0, ran: 0, passed: 0, leftOut: new Map<string, string[]>() };

describe.each(SYSTEMS)('cases of %s', (name, system) => {
  const cases = casesOf(name);
  const leftOut = leftOutOf(system);
  tally.all += cases.length;
  for (const { id } of cases) {
    const reason = leftOut.get(id);
    if (reason) tally.leftOut.set(reason, [...(tally.leftOut.get(reason) ?? []), id]);
  }

  it.each(cases.filter(({ id }) => !leftOut.has(id)).map((one) => [one.id, one.area, one] as const))(
    '%s %s',
    (id, area, one) => {
      tally.ran++;
      const run = system.runners[id] ?? system.runners[area];
      if (!run) throw new Error(`no way to run ${id}, and no reason to leave it out`);
      const checks = run(one.given, one.expect);
      expect(checks.length).toBeGreaterThan(0);
      expect(checks.map(([what, got]) => [what, got])).toEqual(checks.map(([what, , want]) => [what, want]));
      tally.passed++;
    },
  );

  it('leaves out only cases there are', () => {
    const ids = new Set(cases.map(({ id }) => id));
    expect([...leftOut.keys()].filter((id) => !ids.has(id))).toEqual([]);
  });
});

it('runs at least 70 in 100 of them', () => {
  const reasons = [...tally.leftOut].map(([reason, ids]) => `  ${ids.length} ${reason}: ${ids.join(' ')}`);
  const { all, ran, passed } = tally;
  console.log([`${ran} of ${all} cases ran, ${passed} passed, ${all - ran} left out:`, ...reasons].join('\n'));
  expect(ran / all).toBeGreaterThanOrEqual(LEAST_SHARE);
});
