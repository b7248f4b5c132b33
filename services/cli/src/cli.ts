/** The commands of `ledger`. Exit codes: 0 done, 1 it failed, 2 it was asked wrongly. */
import { BadSettings } from '@tallystick/connect';
import { assertSchema } from '@tallystick/projections';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type Environment, openSources, UsageFault } from './connect.ts';
import { type Output, type RebuildRequest, rebuild } from './rebuild.ts';

export interface CliParts {
  readonly environment: Environment;
  readonly output: Output;
}

/** `args` without node and script. */
export async function runCli(args: readonly string[], parts: CliParts): Promise<0 | 1 | 2> {
  try {
    await program(parts).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said already what is wrong, or shown its help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    parts.output.line(`ledger: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof UsageFault || error instanceof BadSettings ? 2 : 1;
  }
}

function program({ environment, output }: CliParts): Command {
  const ledger = new Command('ledger')
    .description('Works on the ledger from the command line')
    .exitOverride();
  ledger.configureOutput({ writeOut: output.line, writeErr: output.line });
  ledger
    .command('rebuild')
    .description('fills read models anew from the events')
    .option('--into <schema>', 'fills this schema, beside the live one', schemaName)
    .option('--force', 'removes what the schema holds')
    .exitOverride()
    .action(async (request: RebuildRequest) => {
      const sources = await openSources(environment);
      try {
        await rebuild(sources, request, output);
      } finally {
        await sources.close();
      }
    });
  return ledger;
}

function schemaName(text: string): string {
  try {
    return assertSchema(text);
  } catch {
    throw new InvalidArgumentError('lower-case letters, digits and _');
  }
}
