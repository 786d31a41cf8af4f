import * as fs from "node:fs";
import * as path from "node:path";
import { type Leak, LeakSearch, type Plaintext } from "./leaks";

/** Everything that a rehearsal leaves behind and that must hold no plaintext. */
export interface Traces {
  /** Folders on a disk: the work tree, the blobs, the temporary folder. */
  folders: string[];
  /** What is in memory: the state, logs, what processes showed. By name. */
  texts: Map<string, Buffer>;
}

/**
 * Searches all traces, after a canary (one of the plaintexts in base64) was planted among them to show that the
 * search finds what is there. The canary is removed and not counted as a leak.
 */
export function searchEverything(plaintexts: Plaintext[], traces: Traces): { leaks: Leak[]; canaryFound: boolean } {
  const [folder] = traces.folders;
  const [first] = plaintexts;
  if (!folder || !first) throw new Error("there is nothing to search, or nothing to search for");
  const canary = path.join(folder, "canary");
  fs.writeFileSync(canary, `planted: ${Buffer.concat([Buffer.from("x"), first.bytes]).toString("base64")}\n`);
  const search = new LeakSearch(plaintexts);
  try {
    for (const [name, bytes] of traces.texts) search.searchBytes(name, bytes);
    for (const searched of traces.folders) search.searchFolder(searched);
  } finally {
    fs.rmSync(canary);
  }
  return {
    leaks: search.leaks.filter((leak) => leak.where !== canary),
    canaryFound: search.leaks.some((leak) => leak.where === canary),
  };
}
