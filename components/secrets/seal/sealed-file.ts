import * as fs from "node:fs";
import * as path from "node:path";
import { stackFolder } from "../../config/stack-folder";
import { readIfThere } from "../../process/read-if-there";
import { makeFolder, moveInto, moveIntoEmpty, syncFolder, writeDurably } from "./place-file";
import { digestOf, parseRecord, recordPath, recordText, type SealRecord, sealedPath } from "./seal-record";

/** A secret of a stack, and what is known of its sealed file. */
export interface Place {
  readonly stack: string;
  readonly name: string;
  /** SHA-256 of the sealed file that this run has read, hexadecimal; undefined if there was none. */
  readonly found: string | undefined;
}

/**
 * Writes a secret's sealed file and its record. A kill at any moment leaves the old pair, the new pair, or the new
 * sealed file with the old record: `matchingRecord` then finds the new record, which is written first of all.
 * Half-written files are only ever in `.cache/`, outside of git and of what Nix copies.
 * @throws if something else stands there by now
 */
export function writeSealed(record: SealRecord, content: Uint8Array, { stack, name, found }: Place): void {
  const sealed = sealedPath(stack, name);
  makeFolder(path.dirname(sealed));
  makeFolder(workFolder(stack));
  const waitingRecord = waiting(stack, `${name}.seal.json`);
  const waitingContent = waiting(stack, `${name}.sops.json`);
  writeDurably(waitingRecord, recordText(record));
  writeDurably(waitingContent, content);
  if (digestIfThere(sealed) !== found) throw changedMeanwhile(sealed);
  if (found === undefined) moveFirst(waitingContent, sealed);
  else moveInto(waitingContent, sealed);
  moveInto(waitingRecord, recordPath(stack, name));
  syncFolder(path.dirname(sealed));
}

/** Replaces the record alone. */
export function writeRecord(record: SealRecord, { stack, name, found }: Place): void {
  makeFolder(workFolder(stack));
  const waitingRecord = waiting(stack, `${name}.seal.json`);
  writeDurably(waitingRecord, recordText(record));
  if (digestIfThere(sealedPath(stack, name)) !== found) throw changedMeanwhile(sealedPath(stack, name));
  moveInto(waitingRecord, recordPath(stack, name));
}

/** Where a secret's files are: below a stack's folder, by its name. */
type Files = Pick<Place, "stack" | "name">;

/** Gives a secret's files another name: the sealed file first, as its record is found again by its digest. */
export function moveSealed(from: Files, to: Files): void {
  makeFolder(stackFolder(to.stack));
  moveInto(sealedPath(from.stack, from.name), sealedPath(to.stack, to.name));
  const record = recordPath(from.stack, from.name);
  if (fs.existsSync(record)) moveInto(record, recordPath(to.stack, to.name));
  if (from.stack !== to.stack) dropEmpty(stackFolder(from.stack));
}

/** Of a stack that has another name now nothing is left that Nix would make a machine of. */
function dropEmpty(folder: string): void {
  if (fs.readdirSync(folder).some((file) => file.endsWith(".sops.json"))) return;
  fs.rmSync(path.join(folder, "facts.json"), { force: true });
  if (fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
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

/** Removes what interrupted runs left waiting. Only for who holds the secret's lock. */
export function removeWaiting(stack: string, name: string): void {
  for (const folder of [workFolder(stack), stackFolder(stack)]) {
    for (const file of waitingFiles(folder, name)) fs.rmSync(path.join(folder, file), { force: true });
  }
}

/** Where runs keep what is not yet, or only for their time, true. */
export function workFolder(stack: string): string {
  return path.join(".cache", "seal", stack);
}

function waiting(stack: string, file: string): string {
  return path.join(workFolder(stack), `${file}.${process.pid}`);
}

function waitingRecords(stack: string, name: string): string[] {
  const records = waitingFiles(workFolder(stack), name).filter((file) => file.startsWith(`${name}.seal.json.`));
  return records.map((file) => path.join(workFolder(stack), file));
}

function waitingFiles(folder: string, name: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const ofThisName = (file: string) => {
    const bare = file.replace(/^\./, "");
    return bare.startsWith(`${name}.`) && /^\.(sops|seal)\.json\.\d+$/.test(bare.slice(name.length));
  };
  return fs.readdirSync(folder).filter(ofThisName);
}

function digestIfThere(file: string): string | undefined {
  const content = readIfThere(file);
  return content && digestOf(content);
}

function moveFirst(waitingContent: string, sealed: string): void {
  try {
    moveIntoEmpty(waitingContent, sealed);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EEXIST" ? changedMeanwhile(sealed) : error;
  }
}

function changedMeanwhile(file: string): Error {
  return new Error(`${file} was changed by something else at the same time, it stands as it is: run this again`);
}
