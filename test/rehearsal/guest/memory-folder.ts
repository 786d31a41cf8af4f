import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { memoryFileSystem } from "../../../components/process/memory-folder";

export interface MemoryFolder {
  path: string;
  /** `tmpfs` or `ramfs`; undefined where the system has no memory file system that a user may write to (macOS). */
  type: string | undefined;
}

/** A new 0700 folder on a memory file system, for what a VM keeps in its `/run`. The caller removes it. */
export function makeMemoryFolder(): MemoryFolder {
  const candidates = ["/dev/shm", process.env.XDG_RUNTIME_DIR].filter((folder) => folder !== undefined);
  const memory = candidates.find((folder) => memoryFileSystem(folder) !== undefined);
  const folder = fs.mkdtempSync(path.join(memory ?? os.tmpdir(), "vm-"));
  return { path: folder, type: memoryFileSystem(folder) };
}
