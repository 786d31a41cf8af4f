import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Everything an image's content follows from, in the form in which it is handed to the program `build-image`. */
export interface ImageInputs {
  /** The stack's `facts.json`, as text. */
  readonly facts: string;
  /** Sealed secret name -> SHA-256 (hex) of its sealed file. */
  readonly sealed: Readonly<Record<string, string>>;
  /** `nixTreeDigest()` of the guest's folder. */
  readonly nixDigest: string;
  /** `nix`, the builder's argv as JSON, or `vhd:PATH`. */
  readonly builder: string;
  /** `fileDigest()` of the file behind `vhd:PATH`; of no meaning for other builders. */
  readonly vhdDigest?: string | undefined;
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
 * built. For a disk that was built elsewhere (`vhd:PATH`) it is the digest of that file.
 */
export function imageDigest({ builder, facts, nixDigest, sealed, vhdDigest }: ImageInputs): string {
  if (builder.startsWith("vhd:")) {
    if (!vhdDigest) throw new Error(`the digest of '${builder.slice("vhd:".length)}' is needed to name its image`);
    return vhdDigest;
  }
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

/** What lies in the guest's folder and is not part of an image: checked for the folder's own entries only. */
const NOT_IN_IMAGES = /^(eval|stacks|tests|README(\..*)?|result(-.*)?)$/;
/** What editors and systems leave behind anywhere: backups, locks, swap files, caches of views. */
const LITTER = /^(.*~|#.*#|\.#.*|\._.*|\..*\.sw[a-p]|\.DS_Store|\.directory|Thumbs\.db|desktop\.ini)$/;

/**
 * SHA-256 (hex) of a folder's tree: sorted paths, contents, executable bits and link targets. `stacks/` (its facts and
 * sealed files are digested by themselves), `eval/`, `tests/`, `README` and litter are left out. Reads, starts no
 * process.
 * @throws if a file cannot be read, or if the folder holds something that is neither file, folder nor link
 */
export function nixTreeDigest(directory: string): string {
  const digest = createHash("sha256");
  const entries = fs.readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !NOT_IN_IMAGES.test(name));
  for (const entry of sorted(entries)) addEntry(digest, directory, entry.name, entry);
  return digest.digest("hex");
}

/** Hidden files are those of tools, but in `site/`, which is served as it is: think of `.well-known`. */
function isLitter(relative: string, entry: fs.Dirent): boolean {
  if (LITTER.test(entry.name)) return true;
  if (entry.name.startsWith(".")) return !relative.startsWith("site/");
  return entry.isSymbolicLink() && /^result(-.*)?$/.test(entry.name); // of a `nix build` in there
}

function addEntry(digest: ReturnType<typeof createHash>, root: string, relative: string, entry: fs.Dirent): void {
  if (isLitter(relative, entry)) return;
  const location = path.join(root, relative);
  if (entry.isDirectory()) {
    for (const child of sorted(fs.readdirSync(location, { withFileTypes: true }))) {
      addEntry(digest, root, `${relative}/${child.name}`, child);
    }
  } else if (entry.isSymbolicLink()) {
    digest.update(JSON.stringify([relative, "link", fs.readlinkSync(location)]));
  } else if (entry.isFile()) {
    const content = fs.readFileSync(location);
    const isExecutable = (fs.statSync(location).mode & 0o100) !== 0;
    digest.update(JSON.stringify([relative, isExecutable ? "program" : "file", content.length])).update(content);
  } else {
    throw new Error(`'${location}' is neither a file, a folder nor a link: remove it from '${root}'`);
  }
}

/** In code unit order, which no locale changes. */
function sorted(entries: fs.Dirent[]): fs.Dirent[] {
  return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
}
