import type { BlobState, ImageBlob } from "./image-blob";
import type { Lease } from "./lease";

/** How long after its own time a completion may take effect. Azure tells times in whole seconds. */
const TOLERANCE_MS = 3_000;
const TRIES = 5;

/** Whether something was written to a complete blob later: its completion is the last thing that changes it. */
function isTouched({ completedAt, lastModified }: BlobState): boolean {
  return lastModified.getTime() - Date.parse(completedAt) > TOLERANCE_MS;
}

/** @throws if somebody wrote to a complete blob */
export function checkUntouched(blob: ImageBlob, state: BlobState): void {
  if (!isTouched(state)) return;
  throw new Error(
    `'${blob.name}' was changed at ${state.lastModified.toISOString()}, after its upload was complete ` +
      `(${state.completedAt}), by something else: type \`${blob.command("delete")}\` and run pulumi up again`,
  );
}

/**
 * Marks a blob as complete, which is done last. If the answer to this request is lost, the blob's state tells whether it
 * was done. Where it took effect late it is done again, so that a later change shows by its time.
 * @returns when it was completed, by Azure's clock: versions that grow with it grow from any machine
 */
export async function complete(blob: ImageBlob, lease: Lease, digest: string, contentHash: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    const state = await blob.state();
    const completedAt = (state?.asOf ?? new Date()).toISOString();
    let failure: unknown;
    try {
      await lease.hold(() => blob.complete({ completedAt, contentHash, digest }, lease.id, state?.etag ?? ""));
    } catch (error) {
      failure = error;
    }
    const found = await blob.state();
    if (!found?.isComplete || found.contentHash !== contentHash) {
      throw failure ?? new Error(`'${blob.name}' was changed while it was completed: run it again, it goes on`);
    }
    if (!isTouched(found)) return found.completedAt;
    if (tries === TRIES) throw new Error(`'${blob.name}' could not be completed in time: run it again, it goes on`);
  }
}
