/** Lets a bounded number of tasks run at once. */
export interface Limit {
  /** Waits until there is room and starts the task. Throws what an earlier task failed with. */
  start(task: () => Promise<void>): Promise<void>;
  /** Waits for all tasks, and does not tell of failures. */
  settled(): Promise<void>;
  /** Waits for all tasks. Throws what the first one failed with. */
  idle(): Promise<void>;
}

/** @param onFailure told of the first task that failed, at once */
export function createLimit(count: number, onFailure: (error: unknown) => void): Limit {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = (): void => {
    if (failure) throw failure.error;
  };
  return {
    async start(task) {
      while (running.size >= count) await Promise.race(running);
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
