import { createHash, randomInt } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runningSince } from "../../process/process-start";
import { makeFolder, onDisk } from "./place-file";
import { workFolder } from "./sealed-file";

/** A run waits for a password, or for a vault for two minutes: more than this is a run that hangs. */
const PATIENCE_MS = 600_000;

/**
 * Does the work while no other run seals, edits or removes the same secret, on this machine or on another that has
 * the project's folder too.
 *
 * Each run that wants a secret makes a file of its own name, then looks whether another one has one; if so it takes
 * its own away and tries again later. Of two runs at least one sees the other, whatever their order. A file's name
 * says which process made it, so that one of a killed process is known, and is removed without any risk: no other run
 * ever has that name. Where a folder on a network shows another machine's file late, the digest that `writeSealed`
 * compares still stands between two writers.
 * @throws if another run has the secret for ten minutes
 */
export async function withSecretLock<T>(stack: string, names: readonly string[], work: () => Promise<T>): Promise<T> {
  const held: string[] = [];
  try {
    for (const name of [...new Set(names)].sort()) held.push(await lock(stack, name));
    return await work();
  } finally {
    for (const file of held) fs.rmSync(file, { force: true });
  }
}

async function lock(stack: string, name: string): Promise<string> {
  const folder = workFolder(stack);
  const own = path.join(folder, `${name}.lock.${thisMachine}.${process.pid}.${runningSince(process.pid)}`);
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (let isAnnounced = false; ; ) {
    makeFolder(folder);
    onDisk(own, () => fs.writeFileSync(own, ""));
    const other = livingLocks(folder, name).find((file) => path.join(folder, file) !== own);
    if (other === undefined) return own;
    fs.rmSync(own, { force: true });
    const [, machine, pid] = lockName(name).exec(other) ?? [];
    const whose = machine === thisMachine ? `process ${pid}` : `process ${pid} on another machine`;
    if (Date.now() > giveUpAt) {
      throw new Error(`another run (${whose}) has ${name} for too long: end it, or rm ${path.join(folder, other)}`);
    }
    if (!isAnnounced) console.error(`another run (${whose}) seals ${name}, waiting for it`);
    isAnnounced = true;
    await sleep(randomInt(50, 250));
  }
}

/** The lock files of a secret; those of processes that have ended are removed. */
function livingLocks(folder: string, name: string): string[] {
  const locks = fs.readdirSync(folder).filter((file) => lockName(name).test(file));
  const dead = locks.filter((file) => !isAlive(name, file));
  for (const file of dead) fs.rmSync(path.join(folder, file), { force: true });
  return locks.filter((file) => !dead.includes(file));
}

/** Groups: machine, process, its start. */
function lockName(name: string): RegExp {
  return new RegExp(`^${name.replaceAll(".", "\\.")}\\.lock\\.([0-9a-f]{8})\\.(\\d+)\\.(\\w+)$`);
}

function isAlive(name: string, file: string): boolean {
  const [, machine, pid, start] = lockName(name).exec(file) ?? [];
  return machine !== thisMachine || runningSince(Number(pid)) === start; // only the other machine knows of its own
}

/** Without its name in a file's. A container has a host name, and process numbers, of its own. */
const thisMachine = createHash("sha256").update(os.hostname()).digest("hex").slice(0, 8);
