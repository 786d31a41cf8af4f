import { required, requiredUrl } from "../../process/environment";
import { UsageError } from "../../process/usage-error";

/** What an upload is asked for, in its environment. */
export interface UploadRequest {
  /** `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.vhd`, maybe with a SAS. */
  readonly blobUrl: string;
  /** What names the image, see `imageDigest()`. */
  readonly digest: string;
  /** Whether `digest` is that of a disk which was built elsewhere, and not of what a build is made of. */
  readonly isContentNamed: boolean;
  /** The disk file. Undefined where the build found that the blob is complete. */
  readonly vhd: string | undefined;
  /** The disk's `fileStamp()` when it was built; undefined for a path that somebody typed. */
  readonly stamp: string | undefined;
}

/** The blob and what it is to hold. */
export type UploadTarget = Pick<UploadRequest, "blobUrl" | "digest" | "isContentNamed">;

/** @throws UsageError */
export function readUploadRequest(environment: NodeJS.ProcessEnv): UploadRequest {
  return { ...readTarget(environment), ...readDisk(required(environment, "VHD")) };
}

/** @throws UsageError */
export function readTarget(environment: NodeJS.ProcessEnv): UploadTarget {
  const blobUrl = requiredUrl(environment, "BLOB_URL");
  // An image that is made once (TRUST) is named by what it is made for: its disk need not be at hand again.
  const isContentNamed = environment.BUILDER?.startsWith("vhd:") === true && environment.TRUST === undefined;
  return { blobUrl, digest: required(environment, "DIGEST"), isContentNamed };
}

/** A URL that may be shown: a SAS is a password. */
export function withoutQuery(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

/** VHD is a path, or what `build-image` printed. */
function readDisk(value: string): Pick<UploadRequest, "stamp" | "vhd"> {
  if (!value.trimStart().startsWith("{")) return { vhd: value, stamp: undefined };
  try {
    const { stamp, vhd } = JSON.parse(value) as { stamp?: string | null; vhd?: string | null };
    return { vhd: vhd ?? undefined, stamp: stamp ?? "" };
  } catch {
    throw new UsageError(`VHD must be a path or what build-image printed, got "${value}"`);
  }
}
