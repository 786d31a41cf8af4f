import * as fs from "node:fs";
import * as path from "node:path";
import { stackFolder } from "../../config/stack-folder";
import { readIfThere } from "../../process/read-if-there";

/** Writes a stack's `facts.json`, whole or not at all. An equal file is left alone, with its time. */
export function writeFacts(stack: string, facts: string): void {
  const file = path.join(stackFolder(stack), "facts.json");
  if (readIfThere(file)?.toString("utf8") === facts) return;
  const temporary = `${file}.${process.pid}`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const descriptor = fs.openSync(temporary, "w");
  try {
    fs.writeSync(descriptor, facts);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(temporary, file);
}
