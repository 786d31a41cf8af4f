import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../process/child-process";
import { withMemoryFolder } from "../../process/memory-folder";
import { readIfThere } from "../../process/read-if-there";
import { digestOf, missingSealedFile, sealedPath } from "../seal/seal-record";
import { sealByHand } from "../seal/seal-secret";
import { decrypt } from "../seal/sops";
import { findDeclared, requestOf } from "./declared";

/**
 * Opens a secret in `$EDITOR`, in a file that is only ever in memory, and seals what is saved. The source is left
 * alone: it replaces the edit as soon as it changes.
 */
export async function edit(name: string, stack: string | undefined): Promise<void> {
  const declared = findDeclared(name, stack);
  const request = requestOf(declared);
  if (request.isOnion) throw new Error(`${name} is an onion key, no text to edit: import another one from its source`);
  const file = sealedPath(request.stack, name);
  const content = readIfThere(file);
  if (content === undefined) throw new Error(missingSealedFile(request.stack, name));
  const before = await decrypt(content);
  const after = await withMemoryFolder((folder) => editIn(path.join(folder, name), before));
  try {
    if (after.length === 0) throw new Error(`${name} would be empty: nothing is sealed`);
    if (after.equals(before)) return console.error(`${file}: unchanged`);
    // Recipients, key and file may be others than before the editor was open.
    const now = findDeclared(name, declared.stack.name);
    const opened = await digestOfSame(file, content, before);
    const recorded = now.stack.records.get(name)?.fingerprint;
    await sealByHand({ ...requestOf(now), ...(recorded && { fingerprint: recorded }) }, after, opened);
    console.error(`${file}: sealed; its source ${JSON.stringify(request.source)} does not know of it`);
  } finally {
    before.fill(0);
    after.fill(0);
  }
}

/** @returns the digest of what stands now, if it still holds the plaintext that was edited @throws else */
async function digestOfSame(file: string, content: Buffer, plaintext: Buffer): Promise<string> {
  const now = readIfThere(file);
  if (now?.equals(content)) return digestOf(content);
  const opened = now && (await decrypt(now));
  const isSame = opened?.equals(plaintext);
  opened?.fill(0);
  if (now && isSame) return digestOf(now); // sealed for others meanwhile
  throw new Error(`${file} got another content while it was edited: nothing is sealed, edit that one`);
}

async function editIn(file: string, plaintext: Buffer): Promise<Buffer> {
  fs.writeFileSync(file, plaintext, { mode: 0o600, flag: "wx" });
  const terminal = process.stdin.isTTY === true;
  // $EDITOR may have arguments: a shell takes it apart, as git and sops do.
  const { code, signal } = await runChild("sh", ["-c", `exec ${editorCommand()} "$1"`, "sh", file], {
    terminal,
    stdout: "inherit",
    stderr: "inherit",
  });
  if (code !== 0) throw new Error(`the editor ended with ${signal ?? `code ${code}`}: nothing is sealed`);
  return fs.readFileSync(file);
}

/** vim keeps undo files, swap files and a history of what was copied elsewhere, on disk: not here. */
function editorCommand(): string {
  const editor = process.env.EDITOR || "vi";
  const isVim = /(^|\/)n?vim$/.test(editor);
  return isVim ? `${editor} -n -i NONE -c 'set noundofile nobackup nowritebackup'` : editor;
}
