/**
 * What all commands of `ledger` have in common. Results go to standard output, as text or with `--json` as one JSON
 * document; progress and messages go to standard error. Exit codes: 0 it is done and everything agrees, 1 something
 * differs, 2 it was asked wrongly or has no connection.
 */
import type { Writable } from 'node:stream';
import { StoreUnavailable } from '@tallystick/event-store';
import type { Command } from 'commander';
import { type Environment, NoConnection, openSources, type Sources } from './connect.ts';

export interface CliParts {
  readonly environment: Environment;
  readonly output: Output;
}

export interface Output {
  /** Standard output: what was asked for, and nothing else. */
  readonly results: Writable;
  /** Somebody sits before standard error: progress may be drawn there. */
  readonly isTerminal: boolean;
  /** A message, to standard error. */
  line(text: string): void;
}

/** Adds one command to the program. Its action throws `Differs` for exit code 1, `UsageFault` for 2. */
export type AddCommand = (program: Command, parts: CliParts) => void;

/** The command did what it was asked to, and something differs. What differs has been said by then. */
export class Differs extends Error {
  constructor() {
    super('something differs');
    this.name = 'Differs';
  }
}

/** Opens store and database by the settings for as long as the work lasts. */
export async function withSources<T>(
  { environment }: CliParts,
  work: (sources: Sources) => Promise<T>,
): Promise<T> {
  const sources = await openSources(environment);
  try {
    return await work(sources);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new NoConnection(new Error(`${sources.storeAddress}: ${error.message}`, { cause: error }));
  } finally {
    await sources.close();
  }
}

/** A result as a whole: the value where JSON was asked for, else the text. */
export function answer(output: Output, asJson: boolean | undefined, value: unknown, text: string): void {
  output.results.write(`${asJson ? jsonOf(value) : text}\n`);
}

/** Positions and counts beyond 2^53 are texts: JSON has no integers of their size. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member));
}
