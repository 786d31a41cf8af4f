import { isImageBlobOf } from "../image";

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
  /** So many other images stay, those last in use, for a rollback without a build. */
  readonly keep: number;
  /** Names of blobs that were in use before, the last one first. */
  readonly used: readonly string[];
}

/** An upload that was interrupted this long ago will hardly go on. Milliseconds. */
const ABANDONED_MS = 24 * 3600 * 1000;

/**
 * Which blobs of a stack can go: complete ones beyond those that are kept, and uploads that were given up. Never the
 * current one, never one that somebody holds a lease on, never another stack's. What was in use last stays longest, as
 * one rolls back to what has worked; what never was, by its age.
 */
export function oldImages(
  blobs: readonly ListedBlob[],
  { current, keep, stack, used }: PruneRequest,
  now: Date,
): ListedBlob[] {
  const candidates = blobs.filter(({ isLeased, name }) => isImageBlobOf(stack, name) && name !== current && !isLeased);
  const complete = candidates.filter(({ isComplete }) => isComplete);
  const rank = ({ name }: ListedBlob): number => (used.includes(name) ? used.indexOf(name) : used.length);
  const age = ({ lastModified }: ListedBlob): number => now.getTime() - lastModified.getTime();
  complete.sort((left, right) => rank(left) - rank(right) || age(left) - age(right));
  const abandoned = candidates.filter((blob) => !blob.isComplete && age(blob) > ABANDONED_MS);
  return [...complete.slice(keep), ...abandoned];
}

/** What Pulumi remembers of the last run's output: the blobs in use until now. Nothing of a first run. */
export function usedBefore(output: string | undefined): string[] {
  try {
    const { used } = JSON.parse(output ?? "") as { used?: unknown };
    return Array.isArray(used) ? used.filter((name) => typeof name === "string") : [];
  } catch {
    return []; // as a former version of this program printed it
  }
}
