import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const MAX_LINES = 400;

interface Rule {
  readonly name: string;
  readonly applies: (file: string) => boolean;
  readonly found: (text: string) => boolean;
  /** Text the rule must find: a rule that can't fail proves nothing. */
  readonly example: string;
}

const domain = (file: string) => /^(libs|apps\/server)\//.test(file) && !file.endsWith('.spec.ts');
const source = (file: string) => /^(libs|apps|migrations)\//.test(file);
const amounts = (file: string) =>
  /^libs\/(billing-core|plans|subscriptions|wallets|metering|invoicing)\//.test(file) && !file.endsWith('.spec.ts');

const rules: Rule[] = [
  {
    name: 'time is read only in platform/clock',
    applies: (file) => domain(file) && file !== 'libs/platform/src/clock/real-time.ts',
    found: (text) => /new Date\(\)|Date\.now\(\)/.test(text),
    example: 'const now = new Date();',
  },
  {
    name: 'no float holds an amount',
    applies: amounts,
    found: (text) => /\bparseFloat\(|\.toNumber\(\)|Number\.parseFloat/.test(text),
    example: 'const due = total.toNumber();',
  },
  {
    name: 'nothing is left open',
    applies: source,
    found: (text) => /\b(TODO|FIXME|HACK)\b/.test(text),
    example: '// TODO later',
  },
  {
    name: `files have at most ${MAX_LINES} lines`,
    applies: (file) =>
      source(file) && file.endsWith('.ts') && !file.endsWith('client-operations.ts') && !file.endsWith('.spec.ts'),
    found: (text) => text.split('\n').length > MAX_LINES + 1,
    example: '\n'.repeat(MAX_LINES + 2),
  },
  {
    name: 'process.env is read only where a program starts',
    applies: (file) => file.startsWith('libs/') && !/\.spec\.ts$|embedded-postgres\.ts$/.test(file),
    found: (text) => /\bprocess\.env\b/.test(text),
    example: 'process.env.PORT',
  },
  {
    name: 'tests are neither skipped nor alone',
    applies: (file) => file.endsWith('.spec.ts') && !file.endsWith('tidy.spec.ts'),
    found: (text) => /\b(it|test|describe)\.(skip|only|todo)\b|\bx(it|describe)\(/.test(text),
    example: 'it.skip(',
  },
];

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|tsx|mjs|cjs)$/.test(file) && fs.existsSync(path.join(root, file)));

describe.each(rules)('$name', ({ applies, found, example }) => {
  it('holds', () => {
    const offenders = files.filter((file) => applies(file) && found(fs.readFileSync(path.join(root, file), 'utf8')));
    expect(offenders).toEqual([]);
  });

  it('can fail', () => expect(found(example)).toBe(true));
});

describe('names', () => {
  it('say something', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)(\.|\/)/.test(file))).toEqual([]);
  });
  it('index.ts is the face of a lib and nothing else', () => {
    const indexes = files.filter(
      (file) => /^libs\/.*\/index\.ts$/.test(file) && !/^libs\/[^/]+\/src\/index\.ts$/.test(file),
    );
    expect(indexes).toEqual([]);
  });
});
