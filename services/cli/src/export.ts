/** `ledger export`: the journal for hledger, beancount, a spreadsheet or a program; to a file or to standard output. */
import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type AccountChoice,
  type ExportOptions,
  exportJournal,
  FORMATS,
  type FormatName,
  type Found,
} from '@tallystick/audit';
import { positionOf } from '@tallystick/projections';
import { type Command, Option } from 'commander';
import { accountChoice } from './account-argument.ts';
import { noAccount } from './balance.ts';
import { type AddCommand, answer, type CliParts, withSources } from './command.ts';
import { UsageFault } from './connect.ts';
import { differencesOf, nameDifferences } from './differences.ts';
import { instantAt, positionsOf } from './moment.ts';
import { startMeter } from './progress.ts';
import { writeChunks } from './write.ts';

interface Request {
  readonly format: FormatName;
  readonly from?: number;
  readonly to?: number;
  readonly account?: AccountChoice;
  readonly output?: string;
  readonly json?: boolean;
}

export const addExport: AddCommand = (program: Command, parts) => {
  program
    .command('export')
    .description('writes the journal, straight from the events')
    .addOption(new Option('--format <format>', 'for which program').choices(FORMATS).makeOptionMandatory())
    .option(
      '--from <time>',
      'from this time or day on; hledger and beancount get opening balances',
      instantAt,
    )
    .option('--to <time>', 'before this time or day', instantAt)
    .option('--account <account>', 'entries that touch this wallet or account', accountChoice)
    .option('--output <file>', 'instead of standard output')
    .option('--json', 'with --output: answers in JSON what was written')
    .action((request: Request) => exportTo(parts, request));
};

async function exportTo(parts: CliParts, request: Request): Promise<void> {
  const { from, to, output: file, json } = request;
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageFault('--from must be before --to');
  if (json && file === undefined) throw new UsageFault('--json tells of a file: name one with --output');
  await withSources(parts, async ({ store, pool, schema }) => {
    const { show } = await positionsOf(store);
    const { account } = request;
    if (account?.kind === 'wallet' && (await store.head(`wallet-${account.id}`)) < 0)
      throw noAccount(account.id, null);
    let found: Found = { count: 0, findings: [] };
    const meter = startMeter(parts.output, 'export', await positionOf(pool, schema));
    const journal = exportJournal(store, {
      ...choiceOf(request),
      showPosition: show,
      onProgress: meter.show,
      onEnd: (atEnd) => {
        found = atEnd;
      },
    });
    try {
      if (file === undefined) await writeChunks(parts.output.results, journal);
      else {
        const bytes = await writeFile(file, journal);
        const result = { file, format: request.format, bytes, ...differencesOf(found) };
        if (json) answer(parts.output, json, result, '');
        else parts.output.line(`${file}: ${bytes} bytes`);
      }
    } finally {
      meter.stop();
    }
    nameDifferences(parts.output, found);
  });
}

function choiceOf({ format, from, to, account }: Request): ExportOptions {
  return {
    format,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(account === undefined ? {} : { account }),
  };
}

/** Beside its place first: half an export must not pass for a whole one. */
async function writeFile(file: string, journal: AsyncIterable<string>): Promise<number> {
  const part = `${file}.part`;
  const stream = createWriteStream(part);
  try {
    await pipeline(Readable.from(journal), stream);
    await rename(part, file);
  } catch (error) {
    await unlink(part).catch(() => undefined);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== undefined && syscall !== undefined && ['open', 'rename'].includes(syscall))
      throw new UsageFault(`${file} cannot be written: ${code}`);
    throw error;
  }
  return stream.bytesWritten;
}
