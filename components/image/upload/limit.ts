/** Lets tasks run at once, as many as there is room for. */
export interface Limit {
  /** Waits until there is room and starts the task. Throws what an earlier task failed with. */
  start(task: () => Promise<void>): Promise<void>;
  /** Waits for all tasks, and does not tell of failures. */
  settled(): Promise<void>;
  /** Waits for all tasks. Throws what the first one failed with. */
  idle(): Promise<void>;
}

/**
 * @param hasRoom whether another task may start beside so many
 * @param onFailure called at once with the error of the first task that failed
 */
export function createLimit(hasRoom: (running: number) => boolean, onFailure: (error: unknown) => void): Limit {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = (): void => {
    if (failure) throw failure.error;
  };
  return {
    async start(task) {
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
