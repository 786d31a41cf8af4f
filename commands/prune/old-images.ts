import { isImageBlobOf } from "../../declarations/image";

/** A blob in the images' container. */
export interface ListedBlob {
  readonly name: string;
  readonly etag: string;
  readonly isComplete: boolean;
  readonly isLeased: boolean;
  readonly lastModified: Date;
}

export interface PruneRequest {
  readonly stack: string;
  /** The name of the blob in use: never removed. */
  readonly current: string;
  /** So many older images stay, the newest ones, for a rollback without a build. */
  readonly keep: number;
}

/** An upload that was interrupted this long ago will hardly go on. Milliseconds. */
const ABANDONED_MS = 24 * 3600 * 1000;

/**
 * Which blobs of a stack can go: complete ones beyond those that are kept, and uploads that were given up. Never the
 * current one, never one that somebody holds a lease on, never another stack's.
 */
export function oldImages(
  blobs: readonly ListedBlob[],
  { current, keep, stack }: PruneRequest,
  now: Date,
): ListedBlob[] {
  const candidates = blobs.filter(({ isLeased, name }) => isImageBlobOf(stack, name) && name !== current && !isLeased);
  const complete = candidates.filter(({ isComplete }) => isComplete);
  complete.sort((left, right) => right.lastModified.getTime() - left.lastModified.getTime());
  const abandoned = candidates.filter(
    ({ isComplete, lastModified }) => !isComplete && now.getTime() - lastModified.getTime() > ABANDONED_MS,
  );
  return [...complete.slice(keep), ...abandoned];
}
