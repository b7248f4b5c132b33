/** Work that comes round, and at once where somebody calls: never twice at a time, and never hot where it fails. */

export interface Loop {
  /** There may be something to do: look now, or once more if it is at it. */
  wake(): void;
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** @returns whether to go on at once */
  readonly work: () => Promise<boolean>;
  readonly pauseMs: number;
  /**
   * Rounds begin at least so far apart, so that under a load many things are done in one round: a round costs much the
   * same for one as for thousands. 0 where left out.
   */
  readonly gatherMs?: number;
  /** After a round that failed; nobody can call it back earlier. */
  readonly errorPauseMs?: number;
  readonly onError: (error: unknown) => void;
}

export function startLoop({ work, pauseMs, gatherMs = 0, errorPauseMs = 5_000, onError }: LoopOptions): Loop {
  let stopped = false;
  let woken = false;
  let rest: { readonly end: () => void; readonly mayWake: boolean } | null = null;

  function pause(ms: number, mayWake: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    rest = { end: resolve, mayWake };
    return promise.finally(() => {
      clearTimeout(timer);
      rest = null;
    });
  }

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false;
      const began = performance.now();
      try {
        const more = await work();
        if (!more && !woken && !stopped) await pause(pauseMs, true);
        const early = gatherMs - (performance.now() - began);
        if (early > 0 && !stopped) await pause(early, false);
      } catch (error) {
        onError(error);
        if (!stopped) await pause(errorPauseMs, false);
      }
    }
  }

  const running = run();
  return {
    wake() {
      woken = true;
      if (rest?.mayWake) rest.end();
    },
    async stop() {
      stopped = true;
      rest?.end();
      await running;
    },
  };
}
