import { createHash } from "node:crypto";
import type { Progress } from "../../process/progress";
import type { Range } from "../disk/data-ranges";
import type { ImageBlob } from "./image-blob";
import type { Lease } from "./lease";
import type { EarlierImage, Neighbours } from "./neighbours";
import type { Attempt } from "./retry";
import { isTransient, StorageProblem } from "./storage-problem";

/** Has Azure copy a range from an earlier image. False where that cannot be: the range is then sent. */
export type CopyRange = (range: Range, offset: number, bytes: Buffer) => Promise<boolean>;

/** The stack's last image, or undefined where there is none that can be used: it only saves sending. */
export async function findEarlier(
  neighbours: Neighbours | undefined,
  attempt: Attempt,
  { log }: Progress,
): Promise<EarlierImage | undefined> {
  try {
    return await neighbours?.findEarlier(attempt);
  } catch (error) {
    log(`no earlier image can be copied from, all is sent: ${(error as Error).message}`);
    return undefined;
  }
}

/** After so many refusals nothing more is copied: a server that is busy for a moment gives fewer. */
const REFUSALS = 8;

export interface CopierOptions {
  readonly blob: ImageBlob;
  readonly lease: Lease;
  readonly earlier: EarlierImage;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What the server does not copy is sent, whatever the reason. */
export function createCopier({ blob, earlier, lease, progress, signal }: CopierOptions): CopyRange {
  let refusals = 0;
  return async (range, offset, bytes) => {
    if (refusals >= REFUSALS) return false;
    const md5 = createHash("md5").update(bytes).digest();
    try {
      const source = await earlier.source();
      return await lease.hold(() => blob.putFrom(range, source, offset, md5, lease.id, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StorageProblem && error.code.startsWith("Lease")) throw error;
      if (refusals === 0) progress.log(`${(error as Error).message}; what cannot be copied is sent`);
      refusals += error instanceof StorageProblem && isTransient(error) ? 1 : REFUSALS;
      return false;
    }
  };
}
