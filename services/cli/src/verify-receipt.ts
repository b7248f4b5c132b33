/** `ledger verify-receipt`: checks a receipt by itself, and says what that proves and what it does not. */
import { readFileSync } from 'node:fs';
import {
  compareKept,
  type KeptSeal,
  type Mismatch,
  NoReceipt,
  type NumberedHash,
  parseReceipt,
  type Receipt,
  sealOf,
  sealsOf,
  verifyReceipt,
} from '@tallystick/audit';
import { type AddCommand, answer, Differs } from './command.ts';
import { UsageFault } from './connect.ts';
import { keptSeal } from './kept-seal.ts';

interface Request {
  readonly seal?: KeptSeal;
  readonly json?: boolean;
}

/** Needs no settings and no database: whoever has a receipt can run it. */
export const addVerifyReceipt: AddCommand = (program, { output }) => {
  program
    .command('verify-receipt <file>')
    .description('checks a receipt without the server')
    .option(
      '--seal <seal>',
      'its seal, or a later one that it leads to, as you have kept it: number:hash',
      keptSeal,
    )
    .option('--json', 'answers with JSON')
    .action((file: string, { seal: kept, json }: Request) => {
      const { holds, value, text } = judge(readReceipt(file), kept);
      answer(output, json, value, text);
      if (!holds) throw new Differs();
    });
};

interface Judgement {
  readonly holds: boolean;
  readonly value: object;
  readonly text: string;
}

/** @throws UsageFault where the kept seal is none that the receipt shows */
function judge(receipt: Receipt, kept: KeptSeal | undefined): Judgement {
  const mismatch = verifyReceipt(receipt);
  if (mismatch !== null) return refuted(receipt, mismatch, { consistent: false, kept: null });
  if (kept === undefined) return proved(receipt, null);
  const compared = compareKept(receipt, kept);
  switch (compared.status) {
    case 'same':
      return proved(receipt, compared.seal);
    case 'differs': {
      const { number, hash } = compared.seal;
      const differs = { what: `the hash of seal ${number}`, expected: kept.hash, found: hash };
      return refuted(receipt, differs, { consistent: true, kept: false });
    }
    case 'not_compared':
      throw notCompared(receipt, kept);
    default:
      return compared satisfies never;
  }
}

function refuted({ entry_id }: Receipt, mismatch: Mismatch, verdict: object): Judgement {
  const { what, expected, found } = mismatch;
  const text = `This receipt does not hold. ${entry_id}: ${what} should be ${expected}, but is ${found}.`;
  return { holds: false, value: { ...verdict, ...mismatch }, text };
}

/** Nothing is said against the receipt: it may be as sound as the seal that was kept. */
function notCompared(receipt: Receipt, { number }: KeptSeal): UsageFault {
  const [own, last] = endsOf(receipt);
  const seals = own.number === last.number ? `seal ${own.number}` : `seals ${own.number} to ${last.number}`;
  const cannot = 'this receipt cannot be compared with it';
  if (number === null)
    return new UsageFault(
      `the kept hash is none of ${seals}. If it is of another seal, ${cannot}: ask for the receipt with ?seal=<number>, ` +
        'and give number and hash (--seal <number>:<hash>)',
    );
  if (number > last.number)
    return new UsageFault(
      `the kept hash is of another seal, ${number}, and this receipt shows ${seals}: ${cannot}; ` +
        `ask for the receipt with ?seal=${number}`,
    );
  return new UsageFault(
    `the kept hash is of another seal, ${number}, made before this entry was sealed in seal ${own.number}: ${cannot}; ` +
      `compare with seal ${own.number} or a later one`,
  );
}

/** Its own seal, and the last that it leads to: the same where it has no links. */
function endsOf(receipt: Receipt): readonly [NumberedHash, NumberedHash] {
  const seals = sealsOf(receipt);
  return [seals[0], seals.at(-1) ?? seals[0]];
}

function readReceipt(file: string): Receipt {
  try {
    return parseReceipt(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof NoReceipt) throw new UsageFault(`${file} is no receipt: ${error.message}`);
    throw new UsageFault(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param kept the one of its seals that was kept; null where none was given */
function proved(receipt: Receipt, kept: NumberedHash | null): Judgement {
  const { number, recorded_at } = sealOf(receipt);
  const [own, last] = endsOf(receipt);
  const value = {
    consistent: true,
    kept: kept === null ? null : true,
    entry_id: receipt.entry_id,
    type: receipt.event.type,
    data: receipt.event.data,
    seal: { number, recorded_at, hash: own.hash },
    last_seal: last,
  };
  return { holds: true, value, text: wordsOfProof(receipt, kept) };
}

function wordsOfProof(receipt: Receipt, kept: NumberedHash | null): string {
  const [own, last] = endsOf(receipt);
  const verdict = kept === null ? 'This receipt is consistent in itself.' : 'This receipt holds.';
  return [
    `${verdict} Entry ${receipt.entry_id} (${receipt.event.type}) reads:`,
    '',
    `  ${receipt.event.data}`,
    '',
    kept === null ? wordsOfSeal(receipt) : wordsOfKept(receipt, kept),
    ...[own, last]
      .slice(own.number === last.number ? 1 : 0)
      .map(({ number, hash }) => `Seal ${number}:${hash}`),
    '',
    'Not proved by it:',
    ...(kept === null
      ? [
          '- Whether the entry is or was in the ledger: anybody can make what is consistent in itself.',
          '- Whether the charge is right.',
        ]
      : [
          '- Whether the charge is right: its text says what was charged and for what, and is as it was sealed.',
        ]),
    '- What other entries there are, before or after it.',
  ].join('\n');
}

function wordsOfSeal(receipt: Receipt): string {
  const { number, recorded_at } = sealOf(receipt);
  return `It names seal ${number}, of ${recorded_at}: compare the seal's hash with one that was kept (--seal).`;
}

function wordsOfKept(receipt: Receipt, kept: NumberedHash): string {
  const { number, recorded_at } = sealOf(receipt);
  const which =
    kept.number === number
      ? 'It is the seal that'
      : `Seal ${kept.number}, which follows from it, is the one that`;
  return (
    `It was part of the ledger when seal ${number} was made at ${recorded_at}. ` +
    `${which} you have kept, so nothing in this text has been changed since.`
  );
}
