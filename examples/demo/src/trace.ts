/** The requests of the demo: timestamp, input tokens, output tokens; from a CSV file, or made up where there is none. */
import { createReadStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { BadInput } from './bad-input.ts';

export interface TracedCall {
  /** Unique and the same on every run: the demo may be run again, and charges nothing twice. */
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly occurredAt: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Two real traces of LLM inference (Azure Public Dataset, CC-BY 4.0), where a copy stands beside the checkout. */
const AZURE = ['AzureLLMInferenceTrace_code.csv', 'AzureLLMInferenceTrace_conv.csv'].map((name) =>
  join(import.meta.dirname, '../../../../shared/data/azure', name),
);

/** How far ahead of us a call may lie: the ledger refuses what is more (its clock may differ a little from ours). */
const AHEAD_MS_MAX = 5 * 60_000;

/** All calls of the files, one file after the other; at least one. Throws `BadInput` on the first bad line. */
export async function readTraces(
  given: readonly string[],
  now: number = Date.now(),
): Promise<{ calls: TracedCall[]; from: string }> {
  const files = given.length > 0 ? given : AZURE.filter((file) => existsSync(file));
  if (files.length === 0) return { calls: seededTrace(), from: 'a small made-up trace' };
  const traces: TracedCall[][] = [];
  for (const file of files) traces.push(await readTrace(file, now));
  return { calls: traces.flat(), from: files.map((file) => basename(file)).join(' and ') };
}

async function readTrace(file: string, now: number): Promise<TracedCall[]> {
  const name = basename(file, '.csv').replace(/[^A-Za-z0-9._@+-]/g, '-');
  const calls: TracedCall[] = [];
  let first = true;
  for await (const { fields, line } of rowsOf(file)) {
    const header = first && isHeader(fields);
    first = false;
    if (!header)
      calls.push({ id: `${name}-${calls.length}`, ...readCall(fields, `${file}, line ${line}`, now) });
  }
  if (calls.length === 0) throw new BadInput(`${file}: holds no calls`);
  return calls;
}

/** The records that are not blank, each with the number of its line. Rows may be short: `readCall` says what is missing. */
async function* rowsOf(file: string): AsyncGenerator<{ fields: string[]; line: number }> {
  const parser = parse({
    bom: true,
    trim: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    // An open quote would otherwise take the rest of the file for one field.
    max_record_size: 10_000,
  });
  // A pipeline, so that a file that cannot be read fails the loop below; a bare pipe would leave that error to nobody.
  pipeline(createReadStream(file), parser, () => undefined);
  try {
    for await (const { record, info } of parser) yield { fields: record, line: info.lines };
  } catch (error) {
    if (error instanceof CsvError) throw new BadInput(`${file}: ${error.message}`);
    if (isSystemError(error)) throw new BadInput(`${file}: ${UNREADABLE[error.code] ?? error.message}`);
    throw error;
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read',
};

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

/** Line 1 without a time. One that counts tokens is no header but a call with a bad time, and must not get lost. */
function isHeader([time = '', input = '']: readonly string[]): boolean {
  return timeOf(time) === null && !COUNT.test(input);
}

function readCall(
  [time = '', input, output]: readonly string[],
  where: string,
  now: number,
): Omit<TracedCall, 'id'> {
  const occurredAt = timeOf(time);
  if (occurredAt === null)
    throw new BadInput(`${where}: "${time}" is not a time such as 2023-11-16 18:17:03.979`);
  if (Date.parse(occurredAt) > now + AHEAD_MS_MAX)
    throw new BadInput(`${where}: "${time}" lies in the future, and only what has happened can be charged`);
  if (occurredAt < '1970') throw new BadInput(`${where}: "${time}" lies before 1970`);
  return {
    occurredAt,
    inputTokens: readCount(input, 'input', where),
    outputTokens: readCount(output, 'output', where),
  };
}

/** `2023-11-16 18:17:03.9799600` is UTC with more digits than JavaScript's clock has. Null: no time, or no such day. */
function timeOf(text: string): string | null {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,3})\d*)?Z?$/.exec(text);
  if (match === null) return null;
  const time = `${match[1]}T${match[2]}.${(match[3] ?? '0').padEnd(3, '0')}Z`;
  const at = new Date(time);
  // 30 February is read as 2 March.
  return !Number.isNaN(at.getTime()) && at.toISOString() === time ? time : null;
}

const COUNT = /^\d{1,12}$/;

function readCount(text: string | undefined, which: 'input' | 'output', where: string): number {
  if (text === undefined || text === '')
    throw new BadInput(`${where}: the number of ${which} tokens is missing`);
  if (!COUNT.test(text)) throw new BadInput(`${where}: "${text}" is not a number of ${which} tokens`);
  return Number(text);
}

/** 2,000 calls by a fixed little generator (mulberry32): the same on every machine. */
export function seededTrace(): TracedCall[] {
  let seed = 20_231_116;
  const random = (): number => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: 2_000 }, (_, index) => ({
    id: `seeded-${index}`,
    occurredAt: new Date(Date.UTC(2023, 10, 16, 18) + index * 400).toISOString(),
    inputTokens: Math.floor(200 + random() * 4_000),
    outputTokens: Math.floor(10 + random() * 600),
  }));
}
