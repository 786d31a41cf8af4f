import * as fs from "node:fs";
import * as path from "node:path";
import { readIfThere } from "../../process/read-if-there";
import { digestOf, parseRecord, recordPath, recordText, type SealRecord, sealedPath } from "./seal-record";

/**
 * Replaces a secret's sealed file and its record. A kill at any moment leaves the old pair, the new pair, or the new
 * sealed file with the old record: `matchingRecord` then finds the new record, which is written first of all.
 * Half-written files are only ever in `.cache/`, outside of git and of what Nix copies.
 */
export function writeSealed(stack: string, name: string, content: Uint8Array, record: SealRecord): void {
  const sealed = sealedPath(stack, name);
  fs.mkdirSync(path.dirname(sealed), { recursive: true });
  fs.mkdirSync(waitingFolder(stack), { recursive: true });
  const waitingRecord = waiting(stack, `${name}.seal.json`);
  const waitingContent = waiting(stack, `${name}.sops.json`);
  writeDurably(waitingRecord, recordText(record));
  writeDurably(waitingContent, content);
  fs.renameSync(waitingContent, sealed);
  fs.renameSync(waitingRecord, recordPath(stack, name));
  syncFolder(path.dirname(sealed));
}

/** Replaces the record alone. */
export function writeRecord(stack: string, name: string, record: SealRecord): void {
  fs.mkdirSync(waitingFolder(stack), { recursive: true });
  const waitingRecord = waiting(stack, `${name}.seal.json`);
  writeDurably(waitingRecord, recordText(record));
  fs.renameSync(waitingRecord, recordPath(stack, name));
}

/** Gives a secret's files another name: the sealed file first, as its record is found again by its digest. */
export function moveSealed(stack: string, from: string, to: string): void {
  fs.renameSync(sealedPath(stack, from), sealedPath(stack, to));
  if (fs.existsSync(recordPath(stack, from))) fs.renameSync(recordPath(stack, from), recordPath(stack, to));
}

/** Removes everything of a secret. */
export function removeSealed(stack: string, name: string): void {
  for (const file of [sealedPath(stack, name), recordPath(stack, name)]) fs.rmSync(file, { force: true });
  removeWaiting(stack, name);
}

/**
 * The record that belongs to this sealed file: the one beside it, one that an interrupted run left waiting, or that
 * of the name it had before.
 */
export function matchingRecord(stack: string, name: string, from: string, sealed: Uint8Array): SealRecord | undefined {
  const digest = digestOf(sealed);
  const places = [recordPath(stack, name), ...waitingRecords(stack, name), ...(from ? [recordPath(stack, from)] : [])];
  return places
    .map((file) => parseRecord(readIfThere(file) ?? new Uint8Array()))
    .find((record) => record?.digest === digest);
}

/** Removes what interrupted runs left waiting, and leaves alone what a run that is still alive is about to move. */
export function removeWaiting(stack: string, name: string): void {
  for (const file of waitingFiles(stack, name)) {
    if (!isAlive(Number(file.slice(file.lastIndexOf(".") + 1)))) fs.rmSync(path.join(waitingFolder(stack), file));
  }
}

function waitingFolder(stack: string): string {
  return path.join(".cache", "seal", stack);
}

function waiting(stack: string, file: string): string {
  return path.join(waitingFolder(stack), `${file}.${process.pid}`);
}

function waitingRecords(stack: string, name: string): string[] {
  const records = waitingFiles(stack, name).filter((file) => file.startsWith(`${name}.seal.json.`));
  return records.map((file) => path.join(waitingFolder(stack), file));
}

function waitingFiles(stack: string, name: string): string[] {
  const folder = waitingFolder(stack);
  if (!fs.existsSync(folder)) return [];
  const ofThisName = (file: string) =>
    file.startsWith(`${name}.`) && /^\.(sops|seal)\.json\.\d+$/.test(file.slice(name.length));
  return fs.readdirSync(folder).filter(ofThisName);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function writeDurably(file: string, content: string | Uint8Array): void {
  const descriptor = fs.openSync(file, "w", 0o644);
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Makes a rename last through a power cut. */
function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
