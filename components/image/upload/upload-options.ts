import type { PageBlobClient } from "@azure/storage-blob";
import type { Progress } from "../../process/progress";
import type { Disk } from "./disk";
import type { Neighbours } from "./neighbours";
import type { RetryPatience } from "./retry";
import type { TransferResult } from "./transfer";

export interface UploadOptions {
  readonly client: PageBlobClient;
  /** What names the image, see `imageDigest()`. */
  readonly digest: string;
  readonly disk: Disk;
  /** Whether `digest` is the `fileDigest()` of a disk that was built elsewhere. */
  readonly isContentNamed?: boolean;
  /** The stack's other images, from which Azure itself copies what they have; without, all is sent. */
  readonly neighbours?: Neighbours | undefined;
  readonly progress: Progress;
  readonly retries?: RetryPatience;
  readonly signal: AbortSignal;
  /** How long one waits for another upload of the same blob. Milliseconds. @default 15 minutes */
  readonly leaseWaitMs?: number;
  /** Folder in which leases are remembered. @default `.cache/uploads` */
  readonly memory?: string;
}

export interface UploadResult {
  /** When the blob was completed, by this upload or before: ISO 8601 in UTC. */
  readonly completedAt: string;
  /** Undefined where the blob was complete already. */
  readonly transfer: TransferResult | undefined;
}
