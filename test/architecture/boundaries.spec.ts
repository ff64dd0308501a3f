import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** The rules of .dependency-cruiser.cjs, each broken on purpose in a small tree of its own. */
describe('a boundary that is broken fails the check:', () => {
  let tree: string;
  let violations: { rule: { name: string }; from: string }[];

  beforeAll(() => {
    tree = fs.mkdtempSync(path.join(os.tmpdir(), 'boundaries-'));
    write('tsconfig.json', '{"compilerOptions": {"module": "nodenext"}}');
    write('package.json', '{"type": "module", "devDependencies": {"left": "1"}}');
    write('libs/invoicing/src/index.ts', 'export const invoicing = 1;');
    write('libs/invoicing/src/inside.ts', 'export const inside = 1;');
    write('libs/wallets/src/asks-invoicing.ts', "export { invoicing } from '../../invoicing/src/index.js';");
    write('libs/metering/src/index.ts', 'export const metering = 1;');
    write('libs/metering/src/own-index.ts', "export { metering } from './index.js';");
    write('apps/server/src/deep.ts', "export { inside } from '../../../libs/invoicing/src/inside.js';");
    write('apps/demo/src/other-app.ts', "export { inside } from '../../server/src/deep.js';");
    write('libs/plans/src/knows-app.ts', "export { inside } from '../../../apps/server/src/deep.js';");
    write('libs/billing-core/src/reads-files.ts', "import fs from 'node:fs'; export const read = fs.readFileSync;");
    write('libs/customers/src/a.ts', "import { b } from './b.js'; export const a = () => b;");
    write('libs/customers/src/b.ts', "import { a } from './a.js'; export const b = () => a;");
    write('libs/features/src/nowhere.ts', "export { nothing } from './nothing.js';");
    write('node_modules/stripe/package.json', '{"name": "stripe", "main": "index.js"}');
    write('node_modules/stripe/index.js', 'module.exports = {};');
    write('libs/invoicing/src/charges.ts', "import stripe from 'stripe'; export const s = stripe;");
    violations = cruise(tree);
  });
  afterAll(() => fs.rmSync(tree, { recursive: true, force: true }));

  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
    fs.writeFileSync(path.join(tree, file), text);
  };

  it.each([
    ['asks-of-wallets', 'libs/wallets/src/asks-invoicing.ts'],
    ['lib-face-only', 'apps/server/src/deep.ts'],
    ['no-index-inside', 'libs/metering/src/own-index.ts'],
    ['apps-apart', 'apps/demo/src/other-app.ts'],
    ['libs-know-no-app', 'libs/plans/src/knows-app.ts'],
    ['pure-core', 'libs/billing-core/src/reads-files.ts'],
    ['no-circular', 'libs/customers/src/a.ts'],
    ['no-unresolvable', 'libs/features/src/nowhere.ts'],
    ['stripe-only-in-stripe', 'libs/invoicing/src/charges.ts'],
  ])('%s', (rule, file) => {
    expect(violations.map((violation) => `${violation.rule.name} ${violation.from}`)).toContain(`${rule} ${file}`);
  });

  it('and an allowed one does not', () => {
    expect(violations.filter((violation) => violation.from === 'libs/invoicing/src/index.ts')).toEqual([]);
  });
});

function cruise(tree: string): { rule: { name: string }; from: string }[] {
  const program = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const config = path.join(root, '.dependency-cruiser.cjs');
  try {
    const output = execFileSync(
      process.execPath,
      [program, 'apps', 'libs', '--config', config, '--output-type', 'json'],
      {
        cwd: tree,
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return JSON.parse(output).summary.violations;
  } catch (error) {
    return JSON.parse((error as { stdout: string }).stdout).summary.violations;
  }
}
