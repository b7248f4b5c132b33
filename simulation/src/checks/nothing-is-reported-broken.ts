/** No process stumbled over what no fault explains: no bug in a decision, no stream unreadable, no projector halted. */
import { broken, type Evidence } from './evidence.ts';

export function nothingIsReportedBroken({ world, attempts }: Evidence): void {
  if (world.history.bugs.length > 0) broken('no process reports a bug', world.history.bugs);
  for (const { id, answer } of attempts) {
    if (answer?.status !== 'unavailable') continue;
    if (answer.reason === 'append_rejected' || answer.reason === 'stream_unreadable')
      broken('every order can be decided and stored', { id, reason: answer.reason });
  }
}
