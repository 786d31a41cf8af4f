import * as fs from "node:fs";
import { stackFolder } from "../../config/stack-folder";
import { readIfThere } from "../../process/read-if-there";
import { digestOf, parseRecord, publicPartOf, recordPath, sealedPath } from "./seal-record";

/**
 * Two secrets of a stack never share a sealed file or a key: one was copied over the other.
 * @throws with the other one's name
 */
export function checkNotAnothers(
  { stack, name, from }: { readonly stack: string; readonly name: string; readonly from: string },
  content: Uint8Array,
  publicPart: string | undefined,
): void {
  const digest = digestOf(content);
  for (const other of recordedNames(stack)) {
    if (other === name || other === from) continue;
    const record = parseRecord(readIfThere(recordPath(stack, other)) ?? new Uint8Array());
    if (record === undefined) continue;
    const isSameKey = publicPart !== undefined && publicPartOf(record) === publicPart;
    if (record.digest !== digest && !isSameKey) continue;
    const key = record.onion ? "onion key" : "key";
    const what = record.digest === digest ? "the sealed file" : `the ${key} (${publicPart})`;
    const remedy = `git checkout -- ${stackFolder(stack)}/${name}.*, or remove it`;
    throw new Error(`${sealedPath(stack, name)} is ${what} of secret ${other}: ${remedy}`);
  }
}

function recordedNames(stack: string): string[] {
  const files = fs.existsSync(stackFolder(stack)) ? fs.readdirSync(stackFolder(stack)) : [];
  return files.filter((file) => file.endsWith(".seal.json")).map((file) => file.slice(0, -".seal.json".length));
}
