import * as fs from "node:fs";
import { readIfThere } from "../../process/read-if-there";
import { absentFingerprint } from "../fingerprint";
import { checkHostname, readPlaintext } from "../sources/read-source";
import type { ReadPlaintext } from "../sources/source";
import { sourceOf } from "../sources/sources";
import { findLostFile } from "./lost-file";
import { checkNotAnothers } from "./other-secrets";
import { type Compared, compare, openAsItIs } from "./seal-compare";
import { isRolledBack, planSeal, type SealedState } from "./seal-plan";
import {
  damagedSealedFile,
  digestOf,
  missingSealedFile,
  parseRecord,
  recordPath,
  type SealRecord,
  sealedPath,
} from "./seal-record";
import type { SealRequest, SealResult } from "./seal-request";
import { isSealedFor, readSealedContent } from "./sealed-content";
import { matchingRecord, moveSealed, type Place, removeWaiting, writeRecord, writeSealed } from "./sealed-file";
import { withSecretLock } from "./secret-lock";
import { decrypt, encrypt, encryptOnlyCopy, SopsError } from "./sops";

/** Seals a secret from its source although nothing says that it changed. */
export function resealSecret(request: SealRequest): Promise<SealResult> {
  return alone(request, (run) => sealAnew(run, undefined, true));
}

/**
 * Seals a plaintext that does not come from the secret's source. The content is the caller's to wipe.
 * @param opened digest of the sealed file whose plaintext this one replaces
 */
export function sealByHand(request: SealRequest, content: Buffer, opened: string): Promise<SealResult> {
  return alone(request, async (run) => {
    const sealed = await encryptOnlyCopy(content, request.recipients);
    const record: SealRecord = { ...newRecord(request, sealed, undefined), byHand: true };
    return finish({ ...run, found: opened }, sealed, record, "sealed");
  });
}

/**
 * Brings a secret's sealed file to what is asked for, with as little as that takes: an unchanged secret is left byte
 * for byte alone and costs no call to the vault. The old file stands until the new one is whole.
 */
export function sealSecret(request: SealRequest): Promise<SealResult> {
  return alone(request, async (run) => {
    const { content } = run;
    const state = await readState(request, content);
    const decided = await decide(request, state, content);
    if (decided.plan === "seal" || content === undefined) {
      return sealAnew(run, "plaintext" in decided ? decided.plaintext : undefined);
    }
    return keep(run, state, content, decided.plan === "keep" ? decided : {});
  });
}

/**
 * Takes a sealed file as it is into its record, after sops itself has changed it or its record was lost. It is opened
 * for that, and nothing is ever made in its place.
 * @returns also the address that the onion key had by its record
 */
export async function adoptSecret(request: SealRequest): Promise<SealResult & { readonly formerHostname?: string }> {
  let former: string | undefined;
  const result = await alone(request, async (run) => {
    const { stack, name } = run;
    const state = await readState(run, run.content);
    const { record = state.staleRecord } = state;
    former = record?.onion?.hostname;
    if (run.content === undefined) throw new Error(state.lost?.wayBack ?? missingSealedFile(stack, name));
    if (state.sealedFor === undefined) throw new Error(damagedSealedFile(stack, name));
    const hostname = await openAsItIs(run, run.content);
    const isKnown =
      sourceOf(run.source).generated !== undefined || (state.record !== undefined && !state.record.byHand);
    return keep(run, state, run.content, { ...(hostname && { hostname }), verified: isKnown });
  });
  return { ...result, ...(former && { formerHostname: former }) };
}

/** A request whose secret no other run works on. */
interface Run extends SealRequest, Place {
  /** Whether the sealed file had another name until now. */
  readonly moved: boolean;
  readonly content: Buffer | undefined;
}

function alone(request: SealRequest, work: (run: Run) => Promise<SealResult>): Promise<SealResult> {
  const { stack, name, from } = request;
  return withSecretLock(stack, from ? [name, from] : [name], () => {
    const moved = moveIfRenamed(request);
    const content = readIfThere(sealedPath(stack, name));
    return work({ ...request, moved, content, found: content && digestOf(content) });
  });
}

/** A renamed secret's files are moved; whatever else changed is then seen as under its old name. */
function moveIfRenamed({ stack, name, from }: SealRequest): boolean {
  if (!from || fs.existsSync(sealedPath(stack, name)) || !fs.existsSync(sealedPath(stack, from))) return false;
  moveSealed(stack, from, name);
  return true;
}

async function readState(
  { stack, name, from, source }: SealRequest,
  content: Buffer | undefined,
): Promise<SealedState> {
  const record = content && matchingRecord(stack, name, from, content);
  const places = [recordPath(stack, name), ...(from ? [recordPath(stack, from)] : [])];
  const beside = places.map((file) => parseRecord(readIfThere(file) ?? new Uint8Array())).find((found) => found);
  return {
    isThere: content !== undefined,
    sealedFor: content && readSealedContent(content),
    record,
    staleRecord: record === undefined ? beside : undefined,
    lost: content === undefined && sourceOf(source).generated ? await findLostFile(stack, name) : undefined,
  };
}

async function decide(request: SealRequest, state: SealedState, content: Buffer | undefined): Promise<Compared> {
  const plan = planSeal(request, state);
  if (plan === "compare" && content) return compare(request, state.staleRecord, content);
  if (plan === "open" && content) await openAsItIs(request, content);
  return plan === "keep" || plan === "open"
    ? { plan: "keep", verified: state.record !== undefined && !state.record.byHand }
    : { plan: "seal" };
}

/** @param byHand whether the planned fingerprint may be that of an older plaintext, where its own cannot be taken */
async function sealAnew(planned: Run, known?: ReadPlaintext, byHand = false): Promise<SealResult> {
  const plaintext = known ?? (await readPlaintext(planned));
  const request = ofWhatWasRead(planned, plaintext.fingerprint);
  try {
    const withheld = sourceOf(request.source).variable;
    const seal = request.isOnion ? encryptOnlyCopy : encrypt;
    const content = await seal(plaintext.content, request.recipients, { withheld });
    const record = newRecord(request, content, plaintext.hostname);
    const isOlder = byHand && plaintext.fingerprint === undefined;
    return finish(request, content, isOlder ? { ...record, byHand: true } : record, "sealed");
  } finally {
    plaintext.content.fill(0);
  }
}

/** The source may have changed between the preview's look at it and the reading. */
function ofWhatWasRead(request: Run, fingerprint = request.fingerprint): Run {
  const isKnown = request.fingerprint.startsWith(`${sourceOf(request.source).kind}:`);
  if (isKnown && fingerprint !== request.fingerprint) {
    console.error("its source changed since the preview: what it says now is sealed");
  }
  return { ...request, fingerprint };
}

interface Kept {
  readonly hostname?: string;
  /** Whether what is sealed is known to be what `fingerprint` stands for. */
  readonly verified?: boolean;
  /** That of the source, where it was read. */
  readonly fingerprint?: string | undefined;
}

/** Leaves the plaintext that is sealed as it is; seals it for others if the recipients changed. */
async function keep(planned: Run, state: SealedState, before: Buffer, kept: Kept): Promise<SealResult> {
  const { record } = state;
  const request = { ...planned, fingerprint: kept.fingerprint ?? planned.fingerprint };
  const hostname = request.isOnion ? (kept.hostname ?? record?.onion?.hostname) : undefined;
  if (hostname) checkHostname(request, hostname);
  checkNotAnothers(request, before, hostname);
  const isWrapped = state.sealedFor !== undefined && isSealedFor(state.sealedFor, request.recipients);
  const content = isWrapped ? before : await rewrap(request, before);
  const { byHand: _, ...fresh } = newRecord(request, content, hostname);
  const next: SealRecord = {
    ...fresh,
    ...(record && staysAsRecorded(request, record) && pick(record)),
    ...(record && isWrapped && { sealedAt: record.sealedAt }),
    ...(!kept.verified && { byHand: true }),
  };
  const action = request.moved ? "moved" : record === undefined ? "adopted" : "unchanged";
  return finish(request, content, next, isWrapped ? action : "rewrapped");
}

/** Whether the record says better than the request what is sealed. */
function staysAsRecorded(request: SealRequest, record: SealRecord): boolean {
  return isRolledBack(request, record) || request.fingerprint === absentFingerprint;
}

function pick({ fingerprint, generation }: SealRecord): Pick<SealRecord, "fingerprint" | "generation"> {
  return { fingerprint, generation };
}

/**
 * Seals for others, from the sealed file alone and with a new data key: the old data key does not open the new file
 * for those who were removed.
 */
async function rewrap(request: SealRequest, before: Buffer): Promise<Buffer> {
  const plaintext = await openForRewrap(request, before);
  try {
    return await encryptOnlyCopy(plaintext, request.recipients);
  } finally {
    plaintext.fill(0);
  }
}

async function openForRewrap({ source, name, stack }: SealRequest, before: Buffer): Promise<Buffer> {
  try {
    return await decrypt(before);
  } catch (error) {
    if (!(error instanceof SopsError) || sourceOf(source).generated) throw error;
    const remedy = `npm run secrets -- reseal ${name} --stack ${stack} seals it from its source instead`;
    throw new Error(`${error.message}; ${remedy}`);
  }
}

/** @param content read before: it is sealed for exactly the request's recipients */
function newRecord(request: SealRequest, content: Buffer, hostname: string | undefined): SealRecord {
  const { keyUrl, age, pgp } = request.recipients;
  return {
    version: 1,
    source: request.source,
    generation: request.generation,
    fingerprint: request.fingerprint,
    keyUrl,
    recipients: { age, pgp },
    digest: digestOf(content),
    sealedAt: new Date().toISOString(),
    ...(hostname && { onion: { hostname } }),
  };
}

/** Writes what changed, and nothing else. */
function finish(request: Run, content: Buffer, record: SealRecord, action: SealResult["action"]): SealResult {
  const { stack, name, from } = request;
  if (action === "sealed" || action === "rewrapped") writeSealed(record, content, request);
  else writeRecord(record, request);
  removeWaiting(stack, name);
  if (from && !fs.existsSync(sealedPath(stack, from))) fs.rmSync(recordPath(stack, from), { force: true });
  return {
    path: sealedPath(stack, name),
    digest: record.digest,
    ...(record.onion && { hostname: record.onion.hostname }),
    action,
    generation: request.generation,
    fingerprint: request.fingerprint,
  };
}
