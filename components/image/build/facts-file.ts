import * as fs from "node:fs";
import * as path from "node:path";
import { stackFolder } from "../../config/stack-folder";
import { makeFolder, onDisk } from "../../process/on-disk";
import { readIfThere } from "../../process/read-if-there";

/** Writes a stack's `facts.json`, whole or not at all. An equal file is left alone, with its time. */
export function writeFacts(stack: string, facts: string): void {
  const file = path.join(stackFolder(stack), "facts.json");
  if (readIfThere(file)?.toString("utf8") === facts) return;
  makeFolder(path.dirname(file));
  onDisk(file, () => replace(file, facts));
}

function replace(file: string, facts: string): void {
  const temporary = `${file}.${process.pid}`;
  try {
    const descriptor = fs.openSync(temporary, "w");
    try {
      fs.writeFileSync(descriptor, facts);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}
