import { availableParallelism } from "node:os";
import * as path from "node:path";
import { Worker } from "node:worker_threads";
import { programFile } from "../../config/project";
import type { OnionKey } from "../keys";
import { checkFeasible, type VanityProgress, vanityProgress } from "../vanity-estimate";
import type { VanityMessage } from "./vanity-worker";

export interface VanityThreadsOptions {
  /** @default one for each processor */
  threads?: number | undefined;
  /** The longest time that a search may be expected to take, in milliseconds. */
  limitMs: number;
  /** Called about ten times a second. */
  onProgress?: ((progress: VanityProgress) => void) | undefined;
  /** Ends the search: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Speed is judged after this time of all threads at work, when the code is compiled. */
const WARM_UP_MS = 2_000;

/**
 * The search in worker threads. A thread runs vanity-worker.ts by way of run.mjs, as every program here, so the
 * current folder must be the project's.
 * @param prefix checked by the caller
 * @throws if the prefix is out of reach at the speed that the threads show
 */
export async function searchInThreads(prefix: string, options: VanityThreadsOptions): Promise<OnionKey> {
  const { threads = availableParallelism(), signal } = options;
  signal?.throwIfAborted();
  const workers: Worker[] = [];
  let giveUp = () => {};
  try {
    return await new Promise<OnionKey>((resolve, reject) => {
      giveUp = () => reject(signal?.reason);
      signal?.addEventListener("abort", giveUp);
      startThreads({ prefix, threads, workers, progress: countKeys(prefix, options), resolve, reject });
    });
  } finally {
    signal?.removeEventListener("abort", giveUp);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

interface Search {
  prefix: string;
  threads: number;
  /** The threads that run; the caller ends them. */
  workers: Worker[];
  progress: ReturnType<typeof countKeys>;
  resolve: (key: OnionKey) => void;
  reject: (error: unknown) => void;
}

/** Starts one thread after the other: the first may have to bundle the program that the others run. */
function startThreads(search: Search): void {
  const { prefix, threads, workers, progress, resolve, reject } = search;
  const worker = new Worker(path.resolve(programFile()), {
    argv: ["vanity-worker"],
    workerData: { prefix },
  });
  workers.push(worker);
  worker.once("error", reject);
  worker.on("message", (message: VanityMessage) => {
    if ("secretKey" in message) return resolve(message);
    if (message.keys === 0) return workers.length < threads ? startThreads(search) : progress.begin();
    try {
      progress.add(message.keys);
    } catch (error) {
      reject(error);
    }
  });
}

/** Keeps count from the moment that all threads run; `add` throws if they turn out too slow for the prefix. */
function countKeys(prefix: string, { limitMs, onProgress }: VanityThreadsOptions) {
  let began = Number.POSITIVE_INFINITY;
  let keys = 0;
  return {
    begin: () => {
      began = performance.now();
    },
    add: (more: number) => {
      keys += more;
      const elapsedMs = performance.now() - began;
      if (elapsedMs < WARM_UP_MS) return;
      const keysPerSecond = (keys / elapsedMs) * 1000;
      checkFeasible(prefix, keysPerSecond, limitMs);
      onProgress?.(vanityProgress(prefix, keys, keysPerSecond, elapsedMs));
    },
  };
}
