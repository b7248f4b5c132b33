/** `--seal`: a seal as somebody has kept it. */
import { type KeptSeal, type NumberedHash, readKeptSeal } from '@tallystick/audit';
import { InvalidArgumentError } from 'commander';

export function keptSeal(text: string): KeptSeal {
  const seal = readKeptSeal(text);
  if (seal === null)
    throw new InvalidArgumentError('must be 64 hexadecimal digits, or <number>:<64 hexadecimal digits>');
  return seal;
}

/** Given once for each seal: among all of a ledger's only the number says which it should be. */
export function keptSeals(text: string, before: readonly NumberedHash[]): readonly NumberedHash[] {
  const { number, hash } = readKeptSeal(text) ?? { number: null, hash: '' };
  if (number === null) throw new InvalidArgumentError('must be <number>:<64 hexadecimal digits>');
  return [...before, { number, hash }];
}
