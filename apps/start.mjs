// Runs a built app of this repository: `node apps/start.mjs server`. Builds first when the sources are newer.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const stamp = path.join(root, 'dist/built');
const sources = ['apps', 'libs', 'migrations', 'nest-cli.json', 'package-lock.json', 'tsconfig.json'];
const [, , program = 'server', ...args] = process.argv;
const [app, entry = 'main'] = program.split('/');

/** The newest change below a path; 0 where nothing is. */
function newest(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0;
  return Math.max(
    0,
    ...fs
      .readdirSync(file)
      .filter((name) => name !== 'node_modules' && !name.endsWith('.spec.ts'))
      .map((name) => newest(path.join(file, name))),
  );
}

const isBuilt = () => newest(stamp) > Math.max(...sources.map((source) => newest(path.join(root, source))));
if (fs.existsSync(path.join(root, 'libs')) && !isBuilt()) {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

process.setSourceMapsEnabled(true);
const file = path.join(root, 'dist/apps', app, 'src', `${entry}.js`);
process.argv = [process.execPath, file, ...args];
await import(pathToFileURL(file).href);
