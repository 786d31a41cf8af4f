import { findOnPath } from "../../process/find-program";
import type { OnionKey } from "../keys";
import { searchWithMkp224o } from "../mkp224o";
import { describeProgress, type VanityProgress } from "../vanity-estimate";
import { checkVanityPrefix } from "../vanity-prefix";
import { searchInThreads } from "./vanity-threads";

export interface VanityOptions {
  /** The longest time that a search may be expected to take, in milliseconds. @default a day */
  limitMs?: number;
  /** Gets a line for people now and then: how the search goes, and what it is done with. */
  report?: (line: string) => void;
}

const DAY_MS = 86_400_000;

/**
 * A new onion key whose hostname starts with `prefix`: found by mkp224o where that is on PATH, else by our own search
 * on all processors. A search keeps nothing: broken off, it starts again from the beginning.
 * @throws if no hostname can start so, or if finding one is expected to take longer than the limit
 */
export async function findVanityKey(prefix: string, options: VanityOptions = {}): Promise<OnionKey> {
  const { limitMs = DAY_MS, report = () => {} } = options;
  checkVanityPrefix(prefix);
  const onProgress = nowAndThen(report);
  const program = findOnPath("mkp224o");
  if (program === undefined) return searchInThreads(prefix, { limitMs, onProgress });
  report(`looking for an onion hostname that starts with ${prefix} with mkp224o`);
  return searchWithMkp224o(prefix, { program, limitMs, onProgress });
}

/** Reports after two seconds, and then each time that the search has become half as old again, at least once a minute. */
function nowAndThen(report: (line: string) => void): (progress: VanityProgress) => void {
  let due = 2_000;
  return (progress) => {
    if (progress.elapsedMs < due) return;
    report(describeProgress(progress));
    due = progress.elapsedMs + Math.min(60_000, Math.max(1_000, progress.elapsedMs / 2));
  };
}
