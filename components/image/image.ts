import { createHash } from "node:crypto";

/** Everything an image's content follows from, in the form in which it is handed to the program `build-image`. */
export interface ImageInputs {
  /** The stack's `facts.json`, as text. */
  readonly facts: string;
  /** Sealed secret name -> SHA-256 (hex) of its sealed file. */
  readonly sealed: Readonly<Record<string, string>>;
  /** `readGuest()`'s digest. */
  readonly nixDigest: string;
  /** `nix`, the builder's argv as JSON, or `vhd` for a disk that was built elsewhere. */
  readonly builder: string;
}

/** The name of an image's blob and of the managed image or gallery version made of it. */
export interface ImageNames {
  readonly blob: string;
  readonly image: string;
}

/** Hex digits of the digest in a name: 128 bits, so that equal names mean equal inputs. */
const NAME_DIGITS = 32;
/** A managed image's name has at most 80 characters (Azure naming rules, Microsoft.Compute/images). */
const IMAGE_NAME_LENGTH = 80;

/**
 * The digest that names an image: SHA-256 (hex) over what it is built from, so that it is known before anything is
 * built. Where every change is an image, a disk that was built elsewhere is named by its own content instead.
 */
export function imageDigest({ builder, facts, nixDigest, sealed }: ImageInputs): string {
  const names = Object.keys(sealed).sort();
  const parts = ["sealed-onion image 1", builder, nixDigest, facts, ...names.flatMap((name) => [name, sealed[name]])];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** `<stack>-<32 hex digits>` (image) and `<stack>-<32 hex digits>.vhd` (blob): see {@link imageDigest}. */
export function imageNames(stack: string, digest: string): ImageNames {
  const suffix = `-${digest.slice(0, NAME_DIGITS)}`;
  return { blob: `${stack}${suffix}.vhd`, image: `${stack.slice(0, IMAGE_NAME_LENGTH - suffix.length)}${suffix}` };
}

/** Whether a blob's name is that of one of this stack's images, and of no other stack whose name starts alike. */
export function isImageBlobOf(stack: string, blob: string): boolean {
  return blob.startsWith(`${stack}-`) && /^[0-9a-f]{32}\.vhd$/.test(blob.slice(stack.length + 1));
}

/** The blob with an image's block hashes, from which the next upload knows what need not be sent. */
export function blocksOf(blob: string): string {
  return `${blob}.blocks`;
}

/** The blob that says which store paths an image has: one a line. What is there need not be sent for an update in place. */
export function pathsOf(blob: string): string {
  return `${blob}.paths`;
}
