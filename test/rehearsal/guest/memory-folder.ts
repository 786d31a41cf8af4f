import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Filesystem types of statfs(2) that keep nothing on a disk. */
const memoryTypes = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

export interface MemoryFolder {
  path: string;
  /** `tmpfs` or `ramfs`; undefined where the system has no memory file system that a user may write to (macOS). */
  type: string | undefined;
}

/** A new 0700 folder on a memory file system, for what a VM keeps in its `/run`. The caller removes it. */
export function makeMemoryFolder(): MemoryFolder {
  const candidates = ["/dev/shm", process.env.XDG_RUNTIME_DIR].filter((folder) => folder !== undefined);
  const memory = candidates.find((folder) => memoryType(folder) !== undefined);
  const folder = fs.mkdtempSync(path.join(memory ?? os.tmpdir(), "vm-"));
  return { path: folder, type: memoryType(folder) };
}

function memoryType(folder: string): string | undefined {
  return fs.existsSync(folder) ? memoryTypes.get(fs.statfsSync(folder).type) : undefined;
}
