/** Questions to a store or a database that must not keep their asker waiting. */

/** Null where it fails or takes too long. */
export function inTime<T>(work: Promise<T>, patienceMs: number): Promise<T | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), patienceMs);
    work
      .then(
        (value) => resolve(value),
        () => resolve(null),
      )
      .finally(() => clearTimeout(timer));
  });
}

/**
 * Reads now and then, however often it is asked: an answer stands for `freshMs`, or for twenty times as long as it took
 * to find, so that what is slow costs the database a twentieth of its time at most. Null where there is none in time.
 */
export function nowAndThen<T>(
  read: () => Promise<T>,
  freshMs: number,
  patienceMs: number,
  elapsed = () => performance.now(),
): () => Promise<T | null> {
  let known: { readonly value: T; readonly until: number } | null = null;
  let reading: Promise<T> | null = null;
  async function readNow(): Promise<T> {
    const began = elapsed();
    const value = await read();
    const ended = elapsed();
    known = { value, until: ended + Math.max(freshMs, 20 * (ended - began)) };
    return value;
  }
  return async () => {
    if (known !== null && elapsed() < known.until) return known.value;
    known = null;
    reading ??= readNow().finally(() => {
      reading = null;
    });
    return inTime(reading, patienceMs);
  };
}
