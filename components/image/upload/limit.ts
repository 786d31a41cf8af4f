/** Lets tasks run at once, as many as there is room for. */
export interface Limit {
  /** Waits until there is room beside those that run and starts the task. Throws what an earlier task failed with. */
  start(hasRoom: (running: number) => boolean, task: () => Promise<void>): Promise<void>;
  /** Waits for all tasks, and does not tell of failures. */
  settled(): Promise<void>;
  /** Waits for all tasks. Throws what the first one failed with. */
  idle(): Promise<void>;
}

/** @param onFailure called at once with the error of the first task that failed */
export function createLimit(onFailure: (error: unknown) => void): Limit {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = (): void => {
    if (failure) throw failure.error;
  };
  return {
    async start(hasRoom, task) {
      while (running.size > 0 && !hasRoom(running.size)) await Promise.race(running);
      throwFailure();
      const run: Promise<void> = task()
        .catch((error: unknown) => {
          if (!failure) onFailure(error);
          failure ??= { error };
        })
        .finally(() => running.delete(run));
      running.add(run);
    },
    async settled() {
      await Promise.all(running);
    },
    async idle() {
      await Promise.all(running);
      throwFailure();
    },
  };
}
