import { whenAskedToEnd } from "./asked-to-end";

/** Why a program ended before its work was done. */
export class Interrupted extends Error {
  constructor(readonly exitCode: number) {
    super("interrupted: run it again, it goes on");
  }
}

/** After this time the program ends, whatever it still waits for. */
const GRACE_MS = 5_000;

/**
 * A signal that is aborted, with an `Interrupted`, when the process is asked to end (see `whenAskedToEnd`). What holds
 * something then releases it; a second Ctrl-C ends at once.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  whenAskedToEnd((exitCode) => {
    if (controller.signal.aborted) process.exit(exitCode);
    const reason = new Interrupted(exitCode);
    controller.abort(reason);
    setTimeout(() => {
      console.error(reason.message);
      process.exit(exitCode);
    }, GRACE_MS).unref();
  });
  return controller.signal;
}
