/** `ledger rebuild`: fills the read models anew beside the live ones, compares the two, and puts the new in their place. */
import { positionOf, type RebuildProgress, type SwitchReport, switchReads } from '@tallystick/projections';
import type { Command } from 'commander';
import { answer, type CliParts, Differs, withSources } from './command.ts';
import { differenceLines, filledLine } from './finding-line.ts';
import { type Positions, positionsOf } from './moment.ts';
import { startMeter } from './progress.ts';

interface RebuildRequest {
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addRebuild(program: Command, parts: CliParts): void {
  program
    .command('rebuild')
    .description(
      'fills the read models anew beside the live ones, compares them, and switches to the new ones',
    )
    .option('--force', 'switches also where the live ones differ, or cannot be compared')
    .option('--json', 'answers in JSON')
    .action((request: RebuildRequest) => rebuild(parts, request));
}

async function rebuild(parts: CliParts, { force = false, json }: RebuildRequest): Promise<void> {
  const { output } = parts;
  const done = await withSources(parts, async ({ store, pool, schema, partitions }) => {
    const positions = await positionsOf(store);
    const meter = startMeter(output, 'rebuild', await positionOf(pool, schema));
    const onProgress = (progress: RebuildProgress): void => meter.show(progress);
    const report = await switchReads({ store, pool, schema, partitions, force, onProgress }).finally(
      meter.stop,
    );
    return { schema, positions, ...report };
  });
  const { shown, positions, eventsPerSecond: _, ...rest } = done;
  const value = { ...rest, position: positions.show(done.position), findings: shown };
  answer(output, json, value, textOf(done));
  if (!done.switched) throw new Differs();
}

function textOf(done: SwitchReport & { readonly schema: string; readonly positions: Positions }): string {
  const { schema, positions, switched, incomparable, count } = done;
  const lines = [
    ...(incomparable === null ? [] : [incomparable]),
    ...(switched || incomparable === null ? [filledLine(schema, done, positions)] : []),
    ...differenceLines(done),
    switched ? `${schema} was replaced` : `${schema} was left as it is; --force replaces it`,
  ];
  if (count === 0 && incomparable === null) lines.splice(1, 0, 'everything agrees');
  return lines.join('\n');
}
