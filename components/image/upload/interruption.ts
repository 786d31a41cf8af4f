const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Why a program ended before its work was done. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted: run it again, it goes on");
    this.exitCode = exitCode;
  }
}

/** After this time the program ends, whatever it still waits for. */
const GRACE_MS = 5_000;

/**
 * A signal that is aborted, with an `Interrupted`, by Ctrl-C, by a polite kill, and when the process that started this
 * one is gone (a killed `pulumi up` tells nobody). What holds something then gives it free; a second Ctrl-C ends at once.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (exitCode: number): void => {
    if (controller.signal.aborted) process.exit(exitCode);
    const reason = new Interrupted(exitCode);
    controller.abort(reason);
    setTimeout(() => {
      console.error(reason.message);
      process.exit(exitCode);
    }, GRACE_MS).unref();
  };
  for (const [name, code] of Object.entries(codes)) process.on(name, () => interrupt(code));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    interrupt(1);
  }, 250);
  watch.unref();
  return controller.signal;
}
