import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Cleanup } from "./cleanup";
import { makeMemoryFolder } from "./guest/memory-folder";
import { copyProgram } from "./workspace";

/** The folders of one run. */
export interface Folders {
  /** The working copy that the program runs in. */
  program: string;
  /** The loopback Azure: its blobs among it. */
  azure: string;
  /** Every process of the run has this as TMPDIR. */
  temporary: string;
  /** The real engine's state, plugins and credentials. */
  engine: string;
  /** What stands for the VMs' disks. */
  disks: string;
  /** Private to the Tor network. Its path is short: unix sockets lie in it. */
  tor: string;
  /** On a memory file system, not searched: where the stack's owner keeps plaintext. */
  sources: string;
}

const NAMES = ["program", "azure", "temporary", "disks", "engine", "tor"] as const;

/** Makes them, copies the program, and turns this process's TMPDIR to `temporary`. */
export function makeFolders(cleanup: Cleanup): Folders {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "so-"));
  cleanup.add(() => fs.rmSync(root, { recursive: true, force: true }));
  const below = (name: (typeof NAMES)[number]) => path.join(root, name);
  for (const name of NAMES) fs.mkdirSync(below(name), { mode: 0o700 });
  const sources = makeMemoryFolder().path;
  cleanup.add(() => fs.rmSync(sources, { recursive: true, force: true }));
  copyProgram(process.cwd(), below("program"));
  process.env.TMPDIR = below("temporary");
  return {
    program: below("program"),
    azure: below("azure"),
    temporary: below("temporary"),
    disks: below("disks"),
    engine: below("engine"),
    tor: below("tor"),
    sources,
  };
}
