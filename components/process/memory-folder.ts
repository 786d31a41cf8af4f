import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Writable } from "node:stream";

/** `f_type` of statfs(2) for the file systems that live in memory. Source: linux/magic.h */
const MEMORY_FILE_SYSTEMS = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

/**
 * Removes the folder when the pipe that only this process holds ends without a word: after kill -9 as well. Twice, as
 * a program that is just being killed may still be writing.
 */
const KEEPER = 'read -r _ || { rm -rf "$1"; sleep 1; rm -rf "$1"; }';

/**
 * Gives the work a folder for plaintext that a program insists on having in a file: in memory, for this user alone,
 * and removed whatever happens.
 * @throws where there is no memory file system
 */
export async function withMemoryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = path.join(memoryRoot(), `sealed-onion-${randomUUID()}`);
  const guard = spawn("/bin/sh", ["-c", KEEPER, "sh", folder], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
    return await work(folder);
  } finally {
    remove();
    process.off("exit", remove);
    (guard.stdin as Writable).end("\n");
    guard.unref();
  }
}

/** The first folder that is in memory: `XDG_RUNTIME_DIR`, else `/dev/shm`. */
function memoryRoot(): string {
  const candidates = [process.env.XDG_RUNTIME_DIR, "/dev/shm"].filter(
    (folder) => folder !== undefined && folder !== "",
  );
  const found = candidates.find((folder) => folder !== undefined && memoryFileSystem(folder) !== undefined);
  if (found !== undefined) return found;
  throw new Error(
    process.platform === "darwin"
      ? "macOS has no memory file system: change the secret's source and reseal it, or do this on Linux"
      : "neither XDG_RUNTIME_DIR nor /dev/shm is a memory file system: mount -t tmpfs tmpfs /dev/shm",
  );
}

/** `tmpfs` or `ramfs` for a folder in memory that this user can write to, else undefined. */
export function memoryFileSystem(folder: string): string | undefined {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    return MEMORY_FILE_SYSTEMS.get(fs.statfsSync(folder).type);
  } catch {
    return undefined; // not there, or not ours
  }
}
