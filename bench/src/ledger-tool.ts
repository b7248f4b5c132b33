/** `ledger …` as a process, as an auditor calls it: what it answers, how long it takes, and the memory it needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../services/cli/src/main.ts');
const LOOK_EVERY_MS = 100;

export interface ToolRun {
  /** From `--json`. */
  readonly answer: unknown;
  /** From its start to its end. */
  readonly seconds: number;
  /** Resident at most; null where there is no /proc. */
  readonly peakMb: number | null;
}

/** @throws where it neither agrees nor differs */
export async function runLedgerTool(command: string, folder: string, namespace: string): Promise<ToolRun> {
  const { LEDGER_POSTGRES_URL: _, LEDGER_ESDB_URL: __, ...inherited } = process.env;
  const began = performance.now();
  const child = spawn(process.execPath, [...FLAGS, MAIN, command, '--json'], {
    env: { ...inherited, LEDGER_DATA_DIR: folder, LEDGER_NAMESPACE: namespace },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let peakMb: number | null = null;
  const looking = setInterval(() => {
    peakMb = peakMbOf(child.pid ?? 0) ?? peakMb;
  }, LOOK_EVERY_MS);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(looking);
  if (code !== 0 && code !== 1) throw new Error(`ledger ${command} ended with ${code}`);
  return { answer: JSON.parse(text), seconds: (performance.now() - began) / 1_000, peakMb };
}

/** As `pnpm ledger` starts it. */
const FLAGS = ['--max-semi-space-size=64'];

/** The kernel keeps the highest itself. */
function peakMbOf(pid: number): number | null {
  try {
    const kb = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kb === undefined ? null : Math.round(Number(kb) / 1_024);
  } catch {
    return null;
  }
}
