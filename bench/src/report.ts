/** The table: for a terminal, as Markdown, and all figures as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Machine, Version } from './machine.ts';
import { type Measured, meetsAim, type Result } from './results.ts';
import type { Spread } from './statistics.ts';

export interface Report {
  readonly at: string;
  readonly version: Version;
  readonly machine: Machine;
  readonly seconds: number;
  readonly rounds: number;
  readonly results: readonly Result[];
  /** What is wrong with the books at the end; should be nothing. */
  readonly faults: readonly string[];
}

const HEAD = [
  'row',
  'what',
  'per second',
  'CPU µs each',
  'yardstick',
  'per second',
  'CPU µs each',
  'ratio (min–max)',
  'aim',
  '',
];

/** For people at a terminal. */
export function tableOf(report: Report): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [5, 26, 10, 24, 18, 10, 22, 20, 8, 8],
  });
  for (const result of report.results) table.push(cellsOf(result));
  return [machineLine(report), table.toString(), ...notesOf(report)].join('\n');
}

export function markdownOf(report: Report): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = [HEAD, HEAD.map(() => '---'), ...report.results.map((result) => cellsOf(result))];
  return [
    `# Bench ${report.at}`,
    '',
    machineLine(report),
    '',
    ...rows.map(line),
    '',
    ...notesOf(report).map((note) => `- ${note}`),
    '',
  ].join('\n');
}

/** A part of the bench, or a quick look, does not overwrite what a full run has found. @returns the Markdown file's path */
export function writeReport(folder: string, report: Report, complete: boolean): string {
  mkdirSync(folder, { recursive: true });
  const name = join(folder, `${report.at.slice(0, 10)}-${report.version.commit}${complete ? '' : '-part'}`);
  writeFileSync(`${name}.md`, markdownOf(report));
  writeFileSync(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  return `${name}.md`;
}

function cellsOf(result: Result): string[] {
  const verdict = result.faults.length > 0 ? 'FAULTY' : meetsAim(result) ? 'met' : 'short';
  const row = String(result.row);
  if (result.kind === 'time') {
    const value = result.value === null ? 'unknown' : `${result.value.toFixed(1)} ms`;
    return [row, result.name, '', '', '', '', '', value, `< ${result.limit} ms`, verdict];
  }
  const { ours, yardstick, ratio, aim } = result;
  return [
    row,
    ours.name,
    rate(ours),
    cost(ours),
    yardstick.name,
    rate(yardstick),
    cost(yardstick),
    spread(ratio),
    result.kind === 'rate' ? aim.toLocaleString('en') : aim.toFixed(2),
    verdict,
  ];
}

const rate = ({ perSecond }: Measured): string => Math.round(perSecond.median).toLocaleString('en');
const spread = ({ median, min, max }: Spread): string =>
  `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;

/** `62 = ledger 38 + postgres 14 + load 10` */
function cost({ cost }: Measured): string {
  if (cost === null) return 'unknown';
  const total = Object.values(cost).reduce((sum, us) => sum + us, 0);
  const show = (us: number): string => us.toFixed(us < 10 ? 1 : 0);
  return `${show(total)} = ${Object.entries(cost)
    .map(([group, us]) => `${group} ${show(us)}`)
    .join(' + ')}`;
}

function machineLine({ machine, version, seconds, rounds }: Report): string {
  const { cpu, cores, memoryGb, system, node, postgres, fsyncMs } = machine;
  return (
    `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}; Node ${node}, ${postgres}, fsync ${fsyncMs.toFixed(2)} ms; ` +
    `commit ${version.commit}${version.changed ? ' with changes' : ''}; ${rounds} rounds of ${seconds} s each side, in turn`
  );
}

function notesOf({ results, faults }: Report): string[] {
  const notes: string[] = [];
  for (const result of results) {
    const name = result.kind === 'time' ? result.name : result.ours.name;
    if (result.kind === 'ratio') notes.push(`${name}: ${timesOf(result.ours)}`);
    if (result.note !== null) notes.push(`${name}: ${result.note}`);
    for (const fault of new Set(result.faults)) notes.push(`${name}: FAULTY: ${fault}`);
  }
  notes.push(
    faults.length === 0 ? 'books: every unit comes to zero, and what was charged is what was answered' : '',
  );
  return [...notes.filter((note) => note !== ''), ...faults.map((fault) => `books: FAULTY: ${fault}`)];
}

function timesOf({ p50Ms, p99Ms, drainSeconds }: Measured): string {
  const parts: string[] = [];
  if (p50Ms !== null && p99Ms !== null)
    parts.push(`median ${p50Ms.toFixed(1)} ms, 99 % within ${p99Ms.toFixed(1)} ms`);
  if (drainSeconds !== null)
    parts.push(`projected ${Math.round(drainSeconds * 1_000)} ms after the last answer`);
  return parts.join('; ');
}
