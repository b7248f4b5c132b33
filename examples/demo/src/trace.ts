/** The requests of the demo: timestamp, input tokens, output tokens; from a CSV file, or made up where there is none. */
import { createReadStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse';

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

export async function readTraces(given: readonly string[]): Promise<{ calls: TracedCall[]; from: string }> {
  const files = given.length > 0 ? given : AZURE.filter((file) => existsSync(file));
  if (files.length === 0) return { calls: seededTrace(), from: 'a small made-up trace' };
  const traces = await Promise.all(files.map(readTrace));
  return { calls: traces.flat(), from: files.map((file) => basename(file)).join(' and ') };
}

async function readTrace(file: string): Promise<TracedCall[]> {
  const name = basename(file, '.csv').replace(/[^A-Za-z0-9._@+-]/g, '-');
  const calls: TracedCall[] = [];
  for await (const row of createReadStream(file).pipe(parse({ from_line: 2, bom: true, trim: true }))) {
    const [timestamp, input, output] = row as string[];
    calls.push({
      id: `${name}-${calls.length}`,
      occurredAt: readTime(timestamp ?? '', file, calls.length + 2),
      inputTokens: readCount(input ?? '', file, calls.length + 2),
      outputTokens: readCount(output ?? '', file, calls.length + 2),
    });
  }
  return calls;
}

/** `2023-11-16 18:17:03.9799600` is UTC with more digits than JavaScript's clock has. */
function readTime(text: string, file: string, line: number): string {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,3})\d*)?Z?$/.exec(text);
  if (match === null)
    throw new Error(`${file}, line ${line}: "${text}" is not a time such as 2023-11-16 18:17:03.979`);
  return `${match[1]}T${match[2]}.${(match[3] ?? '0').padEnd(3, '0')}Z`;
}

function readCount(text: string, file: string, line: number): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${file}, line ${line}: "${text}" is not a number of tokens`);
  return Number(text);
}

/** 2,000 calls by a fixed little generator (mulberry32): the same on every machine. */
function seededTrace(): TracedCall[] {
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
