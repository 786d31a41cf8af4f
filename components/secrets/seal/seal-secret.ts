import { readIfThere } from "../../process/read-if-there";
import { readPlaintext } from "../sources/read-source";
import type { ReadPlaintext } from "../sources/source";
import { keyKindOf, sourceOf } from "../sources/sources";
import { keep } from "./keep-sealed";
import { findLostFile } from "./lost-file";
import { type Compared, compare, openAsItIs } from "./seal-compare";
import { planSeal, type SealedState } from "./seal-plan";
import {
  damagedSealedFile,
  missingSealedFile,
  parseRecord,
  publicPartOf,
  recordPath,
  type SealRecord,
} from "./seal-record";
import type { SealRequest, SealResult } from "./seal-request";
import { alone, finish, newRecord, type Run } from "./seal-run";
import { readSealedContent } from "./sealed-content";
import { matchingRecord } from "./sealed-file";
import { encrypt, encryptOnlyCopy } from "./sops";

/** Seals a secret from its source although nothing says that it changed. */
export function resealSecret(request: SealRequest): Promise<SealResult> {
  return alone(request, (run) => sealFromSource(run, undefined, true));
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
      return sealFromSource(run, "plaintext" in decided ? decided.plaintext : undefined);
    }
    return keep(run, state, content, decided.plan === "keep" ? decided : {});
  });
}

/**
 * Takes a sealed file as it is into its record, after sops itself has changed it or its record was lost. It is opened
 * for that, and nothing is ever made in its place.
 * @returns also the public part that its key had by its record
 */
export async function adoptSecret(request: SealRequest): Promise<SealResult & { readonly formerly?: string }> {
  let former: string | undefined;
  const result = await alone(request, async (run) => {
    const { stack, name } = run;
    const state = await readState(run, run.content);
    const { record = state.staleRecord } = state;
    former = record && publicPartOf(record);
    if (run.content === undefined) throw new Error(state.lost?.wayBack ?? missingSealedFile(stack, name));
    if (state.sealedFor === undefined) throw new Error(damagedSealedFile(stack, name));
    const publicPart = await openAsItIs(run, run.content);
    const isKnown =
      sourceOf(run.source).generated !== undefined || (state.record !== undefined && !state.record.byHand);
    return keep(run, state, run.content, { ...(publicPart && { publicPart }), verified: isKnown });
  });
  return { ...result, ...(former && { formerly: former }) };
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
async function sealFromSource(planned: Run, known?: ReadPlaintext, byHand = false): Promise<SealResult> {
  const plaintext = known ?? (await readPlaintext(planned));
  const request = ofWhatWasRead(planned, plaintext.fingerprint);
  try {
    const withheld = sourceOf(request.source).variable;
    const seal = keyKindOf(request) ? encryptOnlyCopy : encrypt;
    const content = await seal(plaintext.content, request.recipients, { withheld });
    const record = newRecord(request, content, plaintext.publicPart);
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
