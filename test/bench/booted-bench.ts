import { bootInside, cannotBoot } from "../rehearsal/booted/boot-inside";
import { endWithOutside, isInside } from "../rehearsal/booted/namespaces";
import { Cleanup } from "../rehearsal/cleanup";

/**
 * Runs a bench that boots machines, in namespaces of its own; where none can boot it says so, and ends well.
 * @param file the bench's own TypeScript file, which calls this
 * @param measure returns the exit code
 * @param missing why it cannot run for another reason
 */
export function runBootedBench(file: string, measure: (cleanup: Cleanup) => Promise<number>, missing?: string): void {
  inNamespaces(file, measure, missing).then(
    (code) => {
      process.exitCode = code;
    },
    (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}

async function inNamespaces(
  file: string,
  measure: (cleanup: Cleanup) => Promise<number>,
  missing: string | undefined,
): Promise<number> {
  const reason = cannotBoot() ?? missing;
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return 0;
  }
  if (!isInside()) return bootInside(file, process.argv.slice(2));
  const cleanup = new Cleanup();
  endWithOutside(() => void cleanup.run().finally(() => process.exit(130)));
  try {
    return await measure(cleanup);
  } finally {
    await cleanup.run();
  }
}
