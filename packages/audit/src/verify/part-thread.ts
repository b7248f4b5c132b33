/** The thread of a part: does what it is asked, one thing after the other, and answers each with one message. */
import { parentPort, workerData } from 'node:worker_threads';
import { Audit } from './audit.ts';
import type { PartSettings } from './part.ts';
import { type Answer, eventsOf, type Question } from './part-messages.ts';

const audit = new Audit(workerData as PartSettings);

parentPort?.on('message', (question: Question) => {
  answerTo(question).then(
    (done) => parentPort?.postMessage({ done } satisfies Answer),
    (error: unknown) => parentPort?.postMessage({ failed: String(error) } satisfies Answer),
  );
});

function answerTo(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'add':
      return audit.add(eventsOf(question.batch), question.batch.partitions);
    case 'summary':
      return audit.summary();
    case 'rows':
      return audit.rows(question.table);
    default:
      return question satisfies never;
  }
}
