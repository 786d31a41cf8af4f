import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { tree } from "../../nix/lib/rules.json";

/** What lies in the guest's folder and is not part of an image: checked for the folder's own entries only. */
const NOT_IN_IMAGES = whole(tree.notInImages);
/** What editors and systems leave behind anywhere: backups, locks, swap files, caches of views. */
const LITTER = whole(tree.litter);
/** Of a `nix build` in there. */
const RESULT = whole(tree.resultLinks);

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** A file or a link of the guest's folder. */
interface TreeFile {
  /** `modules/tor.nix` */
  readonly name: string;
  readonly location: string;
  readonly entry: fs.Dirent;
}

/**
 * SHA-256 (hex) of a folder's tree: sorted paths, contents, executable bits and link targets. `stacks/` (its facts and
 * sealed files are digested by themselves), `eval/`, `tests/`, `README` and litter are left out. Reads, starts no
 * process.
 * @throws if a file cannot be read, or if the folder holds something that is neither file, folder nor link
 */
export function nixTreeDigest(directory: string): string {
  const digest = createHash("sha256");
  for (const { name, location, entry } of filesOf(directory)) {
    if (entry.isSymbolicLink()) digest.update(JSON.stringify([name, "link", fs.readlinkSync(location)]));
    else {
      const content = fs.readFileSync(location);
      const isExecutable = (fs.statSync(location).mode & 0o100) !== 0;
      digest.update(JSON.stringify([name, isExecutable ? "program" : "file", content.length])).update(content);
    }
  }
  return digest.digest("hex");
}

/** Hex digits of a part's digest, which a disk has to tell about itself in little space. */
const PART_DIGITS = 16;

/**
 * By entry of the guest's folder (`site`, `modules`, `flake.lock`), the first digits of a SHA-256 over the files in it, as
 * Nix computes it for the disk that it builds (`nix/lib/guest-tree.nix`): of links their names count alone.
 * @param directories of files with one name the later folder's counts
 */
export function treeParts(directories: readonly string[]): Record<string, string> {
  const digests = new Map(directories.flatMap((directory) => [...filesOf(directory)].map(digestOf)));
  const lines = new Map<string, string[]>();
  for (const [name, digest] of digests) {
    const part = name.split("/")[0] ?? name;
    lines.set(part, [...(lines.get(part) ?? []), `${digest} ${name}\n`]);
  }
  return Object.fromEntries([...lines].map(([part, all]) => [part, partDigest(all)]));
}

function digestOf({ name, location, entry }: TreeFile): [name: string, digest: string] {
  if (entry.isSymbolicLink()) return [name, "link"];
  return [name, createHash("sha256").update(fs.readFileSync(location)).digest("hex")];
}

function partDigest(lines: readonly string[]): string {
  const sorted = lines.map((line) => Buffer.from(line)).sort(Buffer.compare);
  return createHash("sha256").update(Buffer.concat(sorted)).digest("hex").slice(0, PART_DIGITS);
}

function* filesOf(directory: string): Generator<TreeFile> {
  for (const entry of entriesOf(directory)) {
    if (!NOT_IN_IMAGES.test(entry.name)) yield* below(directory, entry.name, entry);
  }
}

function* below(root: string, name: string, entry: fs.Dirent): Generator<TreeFile> {
  if (isLitter(name, entry)) return;
  const location = path.join(root, name);
  if (entry.isDirectory()) {
    for (const child of entriesOf(location)) yield* below(root, `${name}/${child.name}`, child);
  } else if (entry.isFile() || entry.isSymbolicLink()) yield { name, location, entry };
  else throw new Error(`'${location}' is neither a file, a folder nor a link: remove it from '${root}'`);
}

/** Hidden files are those of tools, but in `site/`, which is served as it is: think of `.well-known`. */
function isLitter(name: string, entry: fs.Dirent): boolean {
  if (LITTER.test(entry.name)) return true;
  if (entry.name.startsWith(".")) return !name.startsWith("site/");
  return entry.isSymbolicLink() && RESULT.test(entry.name);
}

/** In code unit order, which no locale changes. */
function entriesOf(directory: string): fs.Dirent[] {
  const entries = fs.readdirSync(directory, { withFileTypes: true });
  return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
}
