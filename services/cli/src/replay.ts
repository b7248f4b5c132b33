/** `ledger replay`: fills a schema of its own with the read models as they were at a moment, or as they should be now. */
import {
  assertSchema,
  compareWithLive,
  type Differences,
  nextOf,
  positionOf,
  type RebuildProgress,
  rebuildReads,
  SchemaNotEmpty,
} from '@tallystick/projections';
import { type Command, InvalidArgumentError } from 'commander';
import { answer, type CliParts, Differs, withSources } from './command.ts';
import { type Sources, UsageFault } from './connect.ts';
import { differenceLines, filledLine } from './finding-line.ts';
import { endOf } from './ledger-end.ts';
import { asOfOf, MOMENT, type Moment, momentAt, type Positions, positionsOf } from './moment.ts';
import { startMeter } from './progress.ts';

interface ReplayRequest {
  readonly into: string;
  readonly until?: Moment;
  readonly json?: boolean;
}

export function addReplay(program: Command, parts: CliParts): void {
  program
    .command('replay')
    .description('fills a new schema from the events; up to where the live one stands, it compares the two')
    .requiredOption('--into <schema>', 'the schema to fill; it must not be there yet', schemaName)
    .option('--until <moment>', `nothing after ${MOMENT}`, momentAt)
    .option('--json', 'answers in JSON')
    .action((request: ReplayRequest) => replay(parts, request));
}

type Replayed = RebuildProgress & Partial<Differences>;

async function replay(parts: CliParts, { into, until, json }: ReplayRequest): Promise<void> {
  const { output } = parts;
  const done = await withSources(parts, async (sources) => {
    const { store, pool, schema } = sources;
    if (into === schema || into === nextOf(schema)) throw new UsageFault(`${into} is not free to be filled`);
    const positions = await positionsOf(store);
    const asOf = asOfOf(until, positions);
    const meter = startMeter(output, 'replay', await positionOf(pool, schema));
    const replayed = await fill(sources, into, asOf, meter.show).finally(meter.stop);
    return { ...replayed, positions };
  });
  const { events, count, shown, positions } = done;
  const compared = shown === undefined ? {} : { count, findings: shown };
  const value = { schema: into, events, position: positions.show(done.position), ...compared };
  answer(output, json, value, textOf(into, done));
  if (count !== undefined && count > 0) throw new Differs();
}

type AsOf = ReturnType<typeof asOfOf>;

async function fill(
  { store, pool, schema, partitions }: Sources,
  into: string,
  until: AsOf,
  onProgress: (progress: RebuildProgress) => void,
): Promise<Replayed> {
  const options = { store, pool, partitions, onProgress };
  const live = await positionOf(pool, schema);
  try {
    if (live !== null && (await isLive(store, until, live)))
      return await compareWithLive({ ...options, schema, into });
    return await rebuildReads({ ...options, schema: into, until });
  } catch (error) {
    if (error instanceof SchemaNotEmpty) throw new UsageFault(error.message);
    throw error;
  }
}

/** Whether what was recorded until then is what the live read models have come to. */
async function isLive(store: Sources['store'], until: AsOf, live: bigint): Promise<boolean> {
  if (until === null || ('position' in until && until.position === live)) return true;
  if ('position' in until && until.position < live) return false;
  const end = await endOf(store);
  const isWhole = 'position' in until ? until.position >= end.position : until.at >= end.at;
  return isWhole && live >= end.position;
}

function textOf(into: string, done: Replayed & { readonly positions: Positions }): string {
  const { count, shown, positions } = done;
  if (count === undefined || shown === undefined)
    return `${filledLine(into, done, positions)}\nthe live read models stand elsewhere, so there is nothing to compare`;
  const verdict = count === 0 ? ['everything agrees'] : differenceLines({ count, shown });
  return [filledLine(into, done, positions), ...verdict].join('\n');
}

function schemaName(text: string): string {
  try {
    return assertSchema(text);
  } catch {
    throw new InvalidArgumentError('lower-case letters, digits and _');
  }
}
