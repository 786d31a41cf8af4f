import * as fs from "node:fs";
import * as path from "node:path";
import { STACKS, stackFolder } from "../config/stack-folder";
import { fileInHead, filesInHead } from "../process/git-head";

const SEALED = /\.sops\.json$/;

/** Sealed files that a vault opens. */
export interface NeededBy {
  /** In the work tree, in any stack's folder. */
  readonly files: readonly string[];
  /** Sealed for another vault by now, but as git's HEAD has them only this one opens them. */
  readonly committed: readonly string[];
}

/**
 * Which sealed files of all stacks need a vault. One that is in git alone is not counted: it was removed, as by
 * `pulumi destroy`, together with its stack; unless it has moved with its stack's name, and git does not have it there yet.
 * @param vault its name; it is looked for in the files' text, so that a damaged file counts as well
 */
export async function neededBy(vault: string): Promise<NeededBy> {
  const host = `//${vault}.vault.`; // what follows differs by cloud
  const there = sealedFiles(STACKS);
  const files = there.filter((file) => fs.readFileSync(file).includes(host));
  const committed: string[] = [];
  const inHead = await filesInHead(STACKS);
  const uncommitted = there.filter((file) => !inHead.includes(file)).map((file) => path.basename(file));
  for (const file of inHead) {
    const hasMoved = !there.includes(file) && uncommitted.includes(path.basename(file));
    if ((!there.includes(file) && !hasMoved) || files.includes(file)) continue;
    if ((await fileInHead(file))?.includes(host)) committed.push(file);
  }
  return { files, committed };
}

/** Vaults that open the sealed files of a stack's folder, by name. */
export function vaultsOf(stack: string): string[] {
  const texts = sealedFiles(stackFolder(stack)).map((file) => fs.readFileSync(file, "utf8"));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/https:\/\/([a-z0-9-]+)\.vault\./gi)].map(([, name = ""]) => name),
  );
  return [...new Set(names)].sort();
}

function sealedFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const all = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return all.filter((file) => SEALED.test(file)).map((file) => path.join(folder, file));
}
