import { runningSince } from "./process-start";

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;

const PARENT_POLL_MS = 250;

/**
 * Calls back each time the process is asked to end: by Ctrl-C, by Ctrl-\ (which would write a core), by SIGTERM, or
 * because the process that started this one is gone, which sends no signal (a killed `pulumi up`).
 * @param waiting another process that this one works for, where a shell stands between
 */
export function whenAskedToEnd(
  asked: (exitCode: number, signal?: NodeJS.Signals) => void,
  waiting = process.ppid,
): void {
  for (const [signal, code] of Object.entries(EXIT_CODES))
    process.on(signal, () => asked(code, signal as NodeJS.Signals));
  const parent = process.ppid;
  const start = waiting === parent ? undefined : runningSince(waiting);
  const isThere = () => waiting === parent || (start !== undefined && runningSince(waiting) === start);
  const watch = setInterval(() => {
    if (process.ppid === parent && isThere()) return;
    clearInterval(watch);
    asked(1);
  }, PARENT_POLL_MS);
  watch.unref();
}
