import { backoffMs, pause } from "../../process/pause";
import { isCredentialProblem, isTransient, problemOf, StorageProblem } from "./storage-problem";

/** How long requests are tried again. */
export interface RetryPatience {
  /** Given up after this time of failures without any success. Milliseconds. @default 5 minutes */
  readonly patienceMs?: number;
  /** Tries of one request, while others succeed. @default 12 */
  readonly tries?: number;
  /** The first pause, doubled each time up to 20 s, with jitter. Milliseconds. @default 250 */
  readonly firstPauseMs?: number;
}

export interface RetryOptions extends RetryPatience {
  /** Ends all requests and pauses. */
  readonly signal: AbortSignal;
  /** Takes one line about the first pause of a request. */
  readonly log: (line: string) => void;
}

/** Runs one request to Azure until it succeeds, within the budget that all requests of an upload share. */
export type Attempt = <T>(what: string, request: (signal: AbortSignal) => Promise<T>) => Promise<T>;

const LONGEST_PAUSE_MS = 20_000;
/** No request and pause take longer than this: more between two failures, and the machine has slept. */
const LONGEST_WAIT_MS = 2 * 60_000;

/**
 * Throttling (429, 503), resets, timeouts and damaged transfers are tried again with growing pauses, `Retry-After`
 * is heeded; anything else fails at once, but for a login that has worked before. What is thrown is a `StorageProblem`
 * that names the request.
 */
export function createAttempt(options: RetryOptions): Attempt {
  const { firstPauseMs = 250, log, patienceMs = 300_000, signal, tries = 12 } = options;
  let hasSucceeded = false;
  let failing: { readonly forMs: number; readonly last: number } | undefined;
  const failingFor = (): number => {
    const now = Date.now();
    const { forMs, last } = failing ?? { forMs: 0, last: now };
    failing = { forMs: forMs + Math.min(now - last, LONGEST_WAIT_MS), last: now };
    return failing.forMs;
  };
  return async (what, request) => {
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      try {
        const result = await request(signal);
        hasSucceeded = true;
        failing = undefined;
        return result;
      } catch (error) {
        signal.throwIfAborted();
        const problem = problemOf(what, error);
        failures += 1;
        if (!isTransient(problem) && !(hasSucceeded && isCredentialProblem(problem))) throw problem;
        if (failingFor() > patienceMs || failures >= tries) throw exhausted(problem, failures);
        if (failures === 2) log(`${problem.message}; trying again`);
        await pause(
          Math.max(problem.retryAfterMs, backoffMs(failures, { firstMs: firstPauseMs, longestMs: LONGEST_PAUSE_MS })),
          signal,
        );
      }
    }
  };
}

function exhausted(problem: StorageProblem, failures: number): StorageProblem {
  const { code, retryAfterMs, status } = problem;
  const message = `${problem.message}, after ${failures} ${failures === 1 ? "try" : "tries"}: run it again, it goes on`;
  return new StorageProblem(message, { code, retryAfterMs, status });
}
