/** What was found wrong with the events while a question was answered: to standard error, beside the answer. */
import type { Found } from '@tallystick/audit';
import { Differs, type Output } from './command.ts';
import { findingLine } from './finding-line.ts';

/** As a JSON answer has it; all are counted, the first are listed. */
export function differencesOf({ count, findings }: Found) {
  return { difference_count: count, differences: findings };
}

/** @throws Differs where there is anything to name */
export function nameDifferences(output: Output, { count, findings }: Found): void {
  if (count === 0) return;
  for (const finding of findings) output.line(`DIFFERS  ${findingLine(finding)}`);
  if (count > findings.length) output.line(`… and ${count - findings.length} more`);
  throw new Differs();
}
