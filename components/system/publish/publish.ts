import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder } from "../../process/on-disk";
import { createProgress } from "../../process/progress";
import { createTurns } from "../../process/turns";
import type { SigningKey } from "../signing-key/signing-key";
import { closureOf, pack } from "./closure";
import { hashPart, narInfo, type StorePath } from "./nar-info";
import { type Release, signRelease } from "./release";
import { missingPaths, type SystemStore } from "./system-store";

export interface Tools {
  readonly store: SystemStore;
  readonly key: SigningKey;
  readonly signal: AbortSignal;
}

/** What is known to be there already. */
export interface Known {
  /** Hash parts of the store paths that the container has. */
  readonly there: ReadonlySet<string>;
  /** Store paths that the machine's image has. */
  readonly inImage: ReadonlySet<string>;
  /** What the last run printed. */
  readonly before: Release | undefined;
}

export interface Published {
  readonly release: Release;
  /** Store paths that were sent, and of how many. */
  readonly paths: number;
  readonly of: number;
  /** Bytes. */
  readonly sent: number;
}

/** Uploads what is missing of a system, then says that it is wanted. */
export async function publish(
  { stack, system }: { stack: string; system: string },
  known: Known,
  tools: Tools,
): Promise<Published> {
  const closure = await closureOf(system);
  const isAgain = await isAskedAgain(stack, known, tools);
  const missing = missingPaths(closure, isAgain ? new Set() : known.there, known.inImage);
  const sent = await upload(missing, isAgain, tools);
  const release = await wish(stack, system, { least: known.before?.generation ?? 0, isAgain }, tools);
  await tools.store.addClosure(
    release.generation,
    closure.map(({ path: stored }) => hashPart(stored)),
  );
  return { release, paths: missing.length, of: closure.length, sent };
}

/**
 * By `pulumi up --replace` all is sent once more, as what lies there may be damaged, and asked for under a new number. So
 * it is under another key: no machine takes what the one before has signed, so none of it counts as there.
 */
async function isAskedAgain(stack: string, { before, there }: Known, { key, store }: Tools): Promise<boolean> {
  const last = await store.lastRelease();
  if (last === undefined) return false;
  if (signRelease(stack, last, key).signature === last.signature) return before === undefined;
  for (const hash of there) await store.removeNarInfo(hash);
  return true;
}

const WORK = path.join(".cache", "systems");

/** @returns bytes */
async function upload(missing: readonly StorePath[], isAgain: boolean, { store, key, signal }: Tools): Promise<number> {
  makeFolder(WORK);
  const folder = fs.mkdtempSync(path.join(WORK, "nar-"));
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const progress = createProgress("uploading");
  const data = missing.reduce((sum, { narSize }) => sum + narSize, 0);
  const transfer = { data, left: data, sent: 0 };
  const stop = missing.length > 0 ? progress.follow(() => transfer) : undefined;
  const turn = createTurns(4);
  const add = async (stored: StorePath, index: number): Promise<void> => {
    signal.throwIfAborted();
    const file = path.join(folder, `${index}`);
    const packed = await pack(stored, file);
    transfer.sent += await store.addNar(file, packed, isAgain);
    fs.rmSync(file);
    await store.addNarInfo(stored, narInfo(stored, packed, key));
    transfer.left -= stored.narSize;
  };
  try {
    await Promise.all(missing.map((stored, index) => turn(() => add(stored, index))));
    return transfer.sent;
  } finally {
    stop?.();
    progress.end();
    process.off("exit", remove);
    remove();
  }
}

/** The same wish again is the same release; a wish for an older system is a new one. */
async function wish(
  stack: string,
  system: string,
  { isAgain, least }: { least: number; isAgain: boolean },
  { store, key }: Tools,
): Promise<Release> {
  for (;;) {
    const last = await store.lastRelease();
    const again = last && signRelease(stack, last, key);
    if (!isAgain && again?.path === system && again.generation >= least && again.signature === last?.signature)
      return again;
    const generation = Math.max(last?.generation ?? 0, least) + 1;
    const next = signRelease(stack, { path: system, generation }, key);
    if (await store.addRelease(next)) return next;
  }
}
