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

/** A folder's tree, read once. */
export interface Tree {
  /** SHA-256 (hex) over sorted paths, contents, executable bits and link targets. */
  readonly digest: string;
  /** By path, the SHA-256 (hex) of a file's content; of a link the word `link`. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Reads a folder's tree. `stacks/` (its facts and sealed files are digested by themselves), `eval/`, `tests/`, `README` and
 * litter are left out. Starts no process.
 * @throws if a file cannot be read, or if the folder holds something that is neither file, folder nor link
 */
export function readTree(directory: string): Tree {
  const digest = createHash("sha256");
  const files = new Map<string, string>();
  for (const { name, location, entry } of filesOf(directory)) {
    if (entry.isSymbolicLink()) {
      digest.update(JSON.stringify([name, "link", fs.readlinkSync(location)]));
      files.set(name, "link");
    } else {
      const content = fs.readFileSync(location);
      const isExecutable = (fs.statSync(location).mode & 0o100) !== 0;
      digest.update(JSON.stringify([name, isExecutable ? "program" : "file", content.length])).update(content);
      files.set(name, createHash("sha256").update(content).digest("hex"));
    }
  }
  return { digest: digest.digest("hex"), files };
}

/** Hex digits of a part's digest, which a disk has to tell about itself in little space. */
const PART_DIGITS = 16;

/**
 * By entry of the guest's folder (`site`, `modules`, `flake.lock`), the first digits of a SHA-256 over the files in it, as
 * Nix computes it for the disk that it builds (`nix/lib/guest-tree.nix`): of links their names count alone.
 * @param trees of files with one name the later tree's counts
 */
export function treeParts(trees: readonly Tree[]): Record<string, string> {
  const digests = new Map(trees.flatMap(({ files }) => [...files]));
  const lines = new Map<string, string[]>();
  for (const [name, digest] of digests) {
    const part = name.split("/")[0] ?? name;
    lines.set(part, [...(lines.get(part) ?? []), `${digest} ${name}\n`]);
  }
  return Object.fromEntries([...lines].map(([part, all]) => [part, partDigest(all)]));
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
