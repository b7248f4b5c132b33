/** `ledger verify-receipt`: checks a receipt by itself, and says what that proves and what it does not. */
import { readFileSync } from 'node:fs';
import {
  type Mismatch,
  NoReceipt,
  parseReceipt,
  type Receipt,
  sealOf,
  verifyReceipt,
} from '@tallystick/audit';
import { InvalidArgumentError } from 'commander';
import { type AddCommand, answer, Differs } from './command.ts';
import { UsageFault } from './connect.ts';

interface Request {
  readonly seal?: string;
  readonly json?: boolean;
}

/** Needs no settings and no database: whoever has a receipt can run it. */
export const addVerifyReceipt: AddCommand = (program, { output }) => {
  program
    .command('verify-receipt <file>')
    .description('checks a receipt without the server')
    .option('--seal <hash>', 'the hash of its seal, as you have kept it', sealHash)
    .option('--json', 'answers with JSON')
    .action((file: string, { seal, json }: Request) => {
      const receipt = readReceipt(file);
      const mismatch = verifyReceipt(receipt, seal);
      const value =
        mismatch === null ? { verified: true, ...provedBy(receipt, seal) } : { verified: false, ...mismatch };
      const text = mismatch === null ? wordsOfProof(receipt, seal) : wordsOfMismatch(receipt, mismatch);
      answer(output, json, value, text);
      if (mismatch !== null) throw new Differs();
    });
};

function sealHash(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('64 hexadecimal digits in lower case');
  return text;
}

function readReceipt(file: string): Receipt {
  try {
    return parseReceipt(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof NoReceipt) throw new UsageFault(`${file} is no receipt: ${error.message}`);
    throw new UsageFault(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function provedBy(receipt: Receipt, kept: string | undefined) {
  const { number, recorded_at } = sealOf(receipt);
  return {
    entry_id: receipt.entry_id,
    type: receipt.event.type,
    data: receipt.event.data,
    seal: { number, recorded_at, hash: receipt.seal.hash, kept: kept !== undefined },
  };
}

function wordsOfProof(receipt: Receipt, kept: string | undefined): string {
  const { number, recorded_at } = sealOf(receipt);
  const [compared, missing] =
    kept === undefined
      ? [
          '',
          `Whether seal ${number} is the ledger's: compare its hash with one that you or others have kept (--seal).`,
        ]
      : [' It is the seal that you have kept, so nothing in this text has been changed since.', null];
  const notProved = [
    missing,
    'Whether the charge is right: its text says what was charged and for what, and is as it was sealed.',
    'What other entries there are, before or after it.',
  ];
  return [
    `This receipt holds. Entry ${receipt.entry_id} (${receipt.event.type}) reads:`,
    '',
    `  ${receipt.event.data}`,
    '',
    `It was part of the ledger when seal ${number} was made at ${recorded_at}.${compared}`,
    `Hash of the seal: ${receipt.seal.hash}`,
    '',
    'Not proved by it:',
    ...notProved.flatMap((line) => (line === null ? [] : [`- ${line}`])),
  ].join('\n');
}

function wordsOfMismatch({ entry_id }: Receipt, { what, expected, found }: Mismatch): string {
  return `This receipt does not hold. ${entry_id}: ${what} should be ${expected}, but is ${found}.`;
}
