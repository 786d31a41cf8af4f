import * as fs from "node:fs";
import * as path from "node:path";
import { fileInHead } from "../../process/git-head";
import { readIfThere } from "../../process/read-if-there";
import { makeFolder, moveInto } from "./place-file";
import { digestOf, recordPath, sealedPath } from "./seal-record";
import { removeWaiting } from "./sealed-file";
import { withSecretLock } from "./secret-lock";

/**
 * Removes everything of a secret whose declaration is gone. A sealed file may be the only copy of what is in it: one
 * that git's HEAD does not have byte for byte is put aside.
 * @returns what became of it, for people
 */
export function removeSecret(stack: string, name: string): Promise<string> {
  return withSecretLock(stack, [name], async () => {
    const sealed = sealedPath(stack, name);
    const content = readIfThere(sealed);
    const isInGit = content !== undefined && (await committed(sealed))?.equals(content) === true;
    const aside = content === undefined || isInGit ? undefined : putAside(stack, name, content);
    for (const file of [sealed, recordPath(stack, name)]) fs.rmSync(file, { force: true });
    removeWaiting(stack, name);
    if (aside === undefined) return `removed the sealed file of ${name}; git keeps what was committed`;
    return `git does not have the sealed file of ${name} as it is, so it was put aside as ${aside}: rm it if nobody needs it`;
  });
}

/** Where git does not say, nothing is thrown away for that. */
function committed(sealed: string): Promise<Buffer | undefined> {
  return fileInHead(sealed).catch(() => undefined);
}

/** Sealed files of a secret that were put aside, the last one first. */
export function asideFiles(stack: string, name: string): string[] {
  const folder = asideFolder(stack);
  if (!fs.existsSync(folder)) return [];
  const ofThisName = (file: string) =>
    file.startsWith(`${name}.`) && /^\.[0-9a-f]{8}\.sops\.json$/.test(file.slice(name.length));
  const files = fs
    .readdirSync(folder)
    .filter(ofThisName)
    .map((file) => path.join(folder, file));
  return files.sort((one, other) => fs.statSync(other).mtimeMs - fs.statSync(one).mtimeMs);
}

/** In the project, as git shows it there, but not in `nix/`, which Nix would copy. */
function asideFolder(stack: string): string {
  return path.join(".removed", stack);
}

function putAside(stack: string, name: string, content: Buffer): string {
  makeFolder(asideFolder(stack));
  const aside = path.join(asideFolder(stack), `${name}.${digestOf(content).slice(0, 8)}`);
  if (fs.existsSync(recordPath(stack, name))) moveInto(recordPath(stack, name), `${aside}.seal.json`);
  moveInto(sealedPath(stack, name), `${aside}.sops.json`);
  return `${aside}.sops.json`;
}
