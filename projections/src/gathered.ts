/**
 * Questions to the database that come while queries are under way travel together in the next one: many callers cost
 * little more than one, and nobody waits for others on purpose.
 */
interface Asked<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A | Promise<A>) => void;
  readonly reject: (error: unknown) => void;
}

const IN_FLIGHT_MAX = 2;

/** @param answerAll one answer for each question, in order; it may be one that is still to come */
export function gathered<Q, A>(
  togetherMax: number,
  answerAll: (questions: readonly Q[]) => Promise<readonly (A | Promise<A>)[]>,
): (question: Q) => Promise<A> {
  let waiting: Asked<Q, A>[] = [];
  let inFlight = 0;

  function next(): void {
    if (inFlight >= IN_FLIGHT_MAX || waiting.length === 0) return;
    const asked = waiting.slice(0, togetherMax);
    waiting = waiting.slice(togetherMax);
    inFlight += 1;
    answerAll(asked.map(({ question }) => question))
      .then((answers) => {
        asked.forEach(({ resolve }, index) => {
          resolve(answers[index] as A | Promise<A>);
        });
      })
      .catch((error: unknown) => {
        for (const { reject } of asked) reject(error);
      })
      .finally(() => {
        inFlight -= 1;
        next();
      });
  }

  return (question) =>
    new Promise<A>((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (waiting.length === 1) setImmediate(next);
    });
}
