/** Work that comes round: again and again with a pause between, never twice at a time. */

/**
 * @param pauseMs asked after each round
 * @returns how to stop it; resolves when the round under way has ended
 */
export function periodically(
  pauseMs: () => number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  async function round(): Promise<void> {
    await work().catch(onError);
    if (stopped) return;
    timer = setTimeout(() => {
      running = round();
    }, pauseMs());
    timer.unref();
  }
  let running = round();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
