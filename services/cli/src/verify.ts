/** `ledger verify`: reads every event again and compares the read models with what comes of them. Writes nothing. */
import { type Finding, type NumberedHash, type Verdict, verifyLedger } from '@tallystick/audit';
import { formatPosition } from '@tallystick/connect';
import { positionOf } from '@tallystick/projections';
import type { Command } from 'commander';
import { answer, type CliParts, Differs, withSources } from './command.ts';
import { findingLine } from './finding-line.ts';
import { keptSeals } from './kept-seal.ts';
import { startMeter } from './progress.ts';

interface VerifyRequest {
  readonly seal: readonly NumberedHash[];
  readonly json?: boolean;
}

export function addVerify(program: Command, parts: CliParts): void {
  program
    .command('verify')
    .description(
      'checks every event (hash chains, entries, balances, seals) and compares all read models with them',
    )
    .option('--seal <number:hash>', 'a seal that you have kept; may be given several times', keptSeals, [])
    .option('--json', 'answers in JSON')
    .action((request: VerifyRequest) => verify(parts, request));
}

async function verify(parts: CliParts, { seal, json }: VerifyRequest): Promise<void> {
  const { output } = parts;
  const verdict = await withSources(parts, async ({ store, pool, schema }) => {
    const meter = startMeter(output, 'verify', await positionOf(pool, schema));
    return verifyLedger({ store, pool, schema, keptSeals: seal, onProgress: meter.show }).finally(meter.stop);
  });
  const { epoch, ...rest } = verdict;
  const position = formatPosition(epoch, verdict.position);
  answer(output, json, { ...rest, position }, textOf(verdict, position));
  if (verdict.count > 0) throw new Differs();
}

function textOf(verdict: Verdict, position: string): string {
  const { events, streams, seconds, seals, behind, count, findings } = verdict;
  const rate = Math.round(events / Math.max(seconds, 0.001));
  const lines = [
    `${events} events of ${streams} streams, up to position ${position}, in ${seconds.toFixed(1)} s (${rate} per second)`,
    sealsLine(seals),
    ...behindLine(behind),
    ...findings.map(findingLine),
    ...restLine(count, findings),
    count === 0 ? 'everything agrees' : `${count} ${count === 1 ? 'thing differs' : 'things differ'}`,
  ];
  return lines.join('\n');
}

/** As `--seal` takes it: whoever keeps it will notice a ledger that was cut off, or written anew. */
function sealsLine({ count, last }: Verdict['seals']): string {
  if (last === null) return 'no seals';
  return `${count} ${count === 1 ? 'seal' : 'seals'}, the last is ${last.number}:${last.hash}`;
}

function behindLine(behind: number | null): string[] {
  if (behind === null || behind === 0) return [];
  return [`the read models are ${behind} events behind; those were checked without them`];
}

function restLine(count: number, shown: readonly Finding[]): string[] {
  return count > shown.length ? [`… and ${count - shown.length} more`] : [];
}
