/** The commands of `ledger`: each is a file of its own that adds itself to the program. */
import { BadSettings } from '@tallystick/connect';
import { Command, CommanderError } from 'commander';
import { addBalance } from './balance.ts';
import { type AddCommand, type CliParts, Differs } from './command.ts';
import { NoConnection, UsageFault } from './connect.ts';
import { addExplain } from './explain.ts';
import { addExport } from './export.ts';
import { addRebuild } from './rebuild.ts';
import { addReplay } from './replay.ts';
import { addTrialBalance } from './trial-balance.ts';
import { addVerify } from './verify.ts';
import { addVerifyReceipt } from './verify-receipt.ts';

const COMMANDS: readonly AddCommand[] = [
  addVerify,
  addReplay,
  addRebuild,
  addVerifyReceipt,
  addBalance,
  addExplain,
  addTrialBalance,
  addExport,
];

const EXIT_CODES = `
Exit codes: 0 it is done and everything agrees, 1 something differs (each difference is named), 2 it was asked
wrongly or there is no connection.`;

/** `args` without node and script. */
export async function runCli(args: readonly string[], parts: CliParts): Promise<0 | 1 | 2> {
  try {
    await program(parts).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said already what is wrong, or shown its help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Differs) return 1;
    parts.output.line(`ledger: ${error instanceof Error ? error.message : String(error)}`);
    return isAskedWrongly(error) ? 2 : 1;
  }
}

function program(parts: CliParts): Command {
  const { output } = parts;
  const ledger = new Command('ledger').description('Works on the ledger from the command line');
  ledger.exitOverride();
  // Commands take these over when they are added.
  ledger.configureOutput({
    writeOut: (text) => output.results.write(text),
    writeErr: (text) => output.line(text.trimEnd()),
  });
  ledger.addHelpText('afterAll', EXIT_CODES);
  for (const add of COMMANDS) add(ledger, parts);
  return ledger;
}

function isAskedWrongly(error: unknown): boolean {
  return error instanceof UsageFault || error instanceof BadSettings || error instanceof NoConnection;
}
