/** An outage repeats the same error several times a second, on every connection: a log needs it twice a minute. */
const SAME_ERROR_MS = 30_000;
const REMEMBERED_MAX = 100;

export function onceInAWhile(tell: (error: unknown) => void): (error: unknown) => void {
  const told = new Map<string, number>();
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const now = performance.now();
    if (now - (told.get(message) ?? Number.NEGATIVE_INFINITY) < SAME_ERROR_MS) return;
    if (told.size >= REMEMBERED_MAX) told.clear();
    told.set(message, now);
    tell(error);
  };
}
