import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './processes.js';

export type Cell = string | number | null;

/** Numbers of a thousand and more get separators, smaller ones two significant places. */
function shown(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  if (Number.isNaN(cell)) return '–';
  return cell >= 100 ? Math.round(cell).toLocaleString('en-US') : cell.toFixed(cell >= 10 ? 1 : 2);
}

/** A Markdown table, its columns aligned, so that it reads in a terminal too. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [head, ...rows.map((row) => row.map(shown))];
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(texts[0]!), rule, ...texts.slice(1).map(line)].join('\n');
}

export interface Report {
  /** Names its section of RESULTS.md. */
  readonly title: string;
  readonly lines: readonly string[];
}

const RESULTS = path.join(root, 'bench/RESULTS.md');

/** Prints a report; with `write` it replaces the section of its title in RESULTS.md. */
export function publish({ title, lines }: Report, postgresVersion: string, write: boolean): void {
  const machine = `${new Date().toISOString().slice(0, 16)}Z, ${os.cpus().length} CPUs, load before the run ${load()}, Node ${process.versions.node}, PostgreSQL ${postgresVersion} (fsync and synchronous_commit on)`;
  const section = [`## ${title}`, '', machine, '', ...lines, ''].join('\n');
  console.log(`\n${section}`);
  if (!write) return;
  const before = fs.existsSync(RESULTS) ? fs.readFileSync(RESULTS, 'utf8') : '# Results of the last runs\n';
  const [preface, ...sections] = before.split(/^(?=## )/m);
  const others = sections.filter((one) => !one.startsWith(`## ${title}\n`)).map((one) => one.trimEnd());
  fs.writeFileSync(RESULTS, `${[preface!.trimEnd(), ...others, section.trimEnd()].join('\n\n')}\n`);
}

const loadBefore = os.loadavg()[0]!;
const load = (): string => loadBefore.toFixed(1);
