import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const FAULTS = 61;

/** Rows of the catalogue in test/faults/README.md: a number, a fault, and its tests or why there is none. */
const rows = fs
  .readFileSync(path.join(root, 'test/faults/README.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| (\d+) +\| (.+?) +\| (.+?) +\|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, number, fault, backing]) => ({ number: Number(number), fault: fault!, backing: backing! }));

/** What of a row's tests is not there. */
function missingOf(backing: string): string[] {
  if (/^not: .{20}/.test(backing)) return [];
  return backing.split('<br>').filter((test) => {
    const [, file, title] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
    if (!file || !title || !fs.existsSync(path.join(root, file))) return true;
    return !fs.readFileSync(path.join(root, file), 'utf8').includes(title);
  });
}

describe('the catalogue of faults', () => {
  it(`has each of the ${FAULTS} once`, () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: FAULTS }, (_, i) => i + 1));
  });

  it('names tests that exist, or says why not', () => {
    expect(rows.flatMap(({ number, backing }) => missingOf(backing).map((test) => `${number}: ${test}`))).toEqual([]);
  });

  it('would see a test that is gone', () => {
    expect(missingOf('`test/faults/start.spec.ts`: a test that nobody has written')).toHaveLength(1);
    expect(missingOf('`test/faults/gone.spec.ts`: starts')).toHaveLength(1);
    expect(missingOf('later')).toHaveLength(1);
  });
});
