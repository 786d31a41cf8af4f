import * as fs from "node:fs";
import * as path from "node:path";
import { DEFAULTS } from "../../config/rules";
import { factsPath } from "../../config/stack-facts";
import { makeFolder, onDisk, writeAndSync } from "../../process/on-disk";
import { readIfThere } from "../../process/read-if-there";
import { UsageError } from "../../process/usage-error";

/** Writes a stack's `facts.json`, whole or not at all. An equal file is left alone, with its time. */
export function writeFacts(stack: string, facts: string): void {
  const file = factsPath(stack);
  if (readIfThere(file)?.toString("utf8") === facts) return;
  makeFolder(path.dirname(file));
  onDisk(file, () => replace(file, facts));
}

function replace(file: string, facts: string): void {
  const temporary = `${file}.${process.pid}`;
  try {
    writeAndSync(temporary, facts);
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** The text of a stack's `facts.json`. @throws if `build-system` has not written it */
export function factsOnDisk(stack: string): string {
  const content = readIfThere(factsPath(stack));
  if (content === undefined) throw new Error(`stack ${stack} has no facts yet: run pulumi up again`);
  return content.toString("utf8");
}

export function systemOf(facts: string): string {
  try {
    const { guest } = JSON.parse(facts) as { guest?: { system?: string } };
    return guest?.system ?? DEFAULTS.guest.system;
  } catch {
    throw new UsageError(`the facts of a stack are JSON, got "${facts.slice(0, 60)}": run pulumi up again`);
  }
}
