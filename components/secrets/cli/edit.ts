import { createInterface } from "node:readline/promises";
import { withMemoryFolder } from "../../process/memory-folder";
import { readIfThere } from "../../process/read-if-there";
import { digestOf, missingSealedFile, sealedPath } from "../seal/seal-record";
import { sealByHand } from "../seal/seal-secret";
import { decrypt } from "../seal/sops";
import { findDeclared, requestOf } from "./declared";
import { runEditor } from "./run-editor";

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
  let after = await withMemoryFolder((folder) => runEditor(folder, name, before));
  const sealAfter = async (): Promise<void> => {
    if (after.length === 0) throw new Error(`${name} would be empty: nothing is sealed`);
    if (after.equals(before)) return console.error(`${file}: unchanged`);
    // Recipients, key and file may be others than before the editor was open.
    const now = findDeclared(name, declared.stack.name);
    const opened = await digestOfSame(file, content, before);
    const recorded = now.stack.records.get(name)?.fingerprint;
    await sealByHand({ ...requestOf(now), ...(recorded && { fingerprint: recorded }) }, after, opened);
    console.error(`${file}: sealed; its source ${JSON.stringify(request.source)} does not know of it`);
  };
  try {
    for (let next: Next = "seal again"; ; ) {
      try {
        if (next === "edit again") after = await editAgain(name, after);
        return await sealAfter();
      } catch (error) {
        next = await askWhatNext(error as Error);
        if (next === "give up") throw error;
      }
    }
  } finally {
    before.fill(0);
    after.fill(0);
  }
}

type Next = "seal again" | "edit again" | "give up";

/** The text as it was left, in the editor once more. */
async function editAgain(name: string, text: Buffer): Promise<Buffer> {
  const edited = await withMemoryFolder((folder) => runEditor(folder, name, text));
  text.fill(0);
  return edited;
}

/** What was typed is lost with this process: anyone who sits at a terminal decides. Without one there is nobody to ask. */
async function askWhatNext({ message }: Error): Promise<Next> {
  if (!process.stdin.isTTY) return "give up";
  console.error(`${message}\nthe text is still in memory: s seals it again, e opens it again, q gives it up`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("q"))); // ^C, ^D
  try {
    for (;;) {
      const answer = (await Promise.race([terminal.question("s, e or q? "), closed])).trim().toLowerCase();
      if (answer === "s") return "seal again";
      if (answer === "e") return "edit again";
      if (answer === "q") return "give up";
    }
  } finally {
    terminal.close();
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
