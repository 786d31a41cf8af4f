import { ABSENT_FINGERPRINT } from "../fingerprint";
import type { Generated } from "../sources/source";
import { isSameSource, sourceOf } from "../sources/sources";
import type { LostFile } from "./lost-file";
import { damagedSealedFile, missingSealedFile, publicPartOf, type SealRecord, sealedPath } from "./seal-record";
import type { SealRequest } from "./seal-request";
import type { SealedFor } from "./sealed-content";

/** What stands on disk for a secret when `seal` starts. */
export interface SealedState {
  /** Whether there is a sealed file. */
  readonly isThere: boolean;
  /** For whom it is sealed; undefined if it is damaged. */
  readonly sealedFor: SealedFor | undefined;
  /** The record that belongs to exactly this file. */
  readonly record: SealRecord | undefined;
  /** The record of some other content under this name: the file was changed without it, or is gone. */
  readonly staleRecord: SealRecord | undefined;
  /** Where there is no sealed file: one that git or `.removed/` still has. */
  readonly lost?: LostFile | undefined;
}

/**
 * - `seal`: take the plaintext from its source and seal it
 * - `keep`: what is sealed stands, only its recipients or its record may need work
 * - `open`: the same, if it opens at all
 * - `compare`: what is sealed must be opened, to see whether it stands
 */
export type Plan = "seal" | "keep" | "open" | "compare";

/**
 * Decides without asking anyone. A generated key exists nowhere but in its sealed file, so it is replaced only
 * when `generation` grows; all else that does not fit is an error.
 */
export function planSeal(request: SealRequest, state: SealedState): Plan {
  const { generated } = sourceOf(request.source);
  const isGenerated = generated !== undefined;
  if (!state.isThere) return isGenerated ? planMissing(request, state, generated) : "seal";
  if (state.sealedFor === undefined) return planDamaged(request, isGenerated);
  if (state.record === undefined) return planUnknown(request, state.staleRecord, isGenerated);
  return isGenerated ? planGenerated(request, state.record, generated) : planFromSource(request, state.record);
}

/** Whether git was rolled back behind Pulumi's state: the source says what it said last time, the record is another. */
export function isRolledBack(request: SealRequest, record: SealRecord): boolean {
  const { previous, fingerprint, generation } = request;
  return (
    previous?.fingerprint === fingerprint && previous.generation === generation && record.fingerprint !== fingerprint
  );
}

/** @throws if the public part does not start with the prefix that the source asks for */
export function checkPrefix({ source, generation, name }: SealRequest, publicPart: string): void {
  const prefix = sourceOf(source).generated?.prefix ?? "";
  if (publicPart.startsWith(prefix)) return;
  throw new Error(
    `onion key ${name} is ${publicPart}, which does not start with "${prefix}": set generation to ${generation + 1} for a new address`,
  );
}

function planMissing(request: SealRequest, { staleRecord, lost }: SealedState, { renewed }: Generated): Plan {
  const { previous, stack, name } = request;
  const known = [
    ...(staleRecord && publicPartOf(staleRecord) ? [staleRecord.generation] : []),
    ...((previous?.hostname ?? previous?.publicKey) ? [previous?.generation ?? 1] : []),
    ...(lost ? [lost.generation ?? request.generation] : []),
  ];
  const last = Math.max(0, ...known);
  if (request.generation > last) return "seal";
  const back = lost?.wayBack ?? missingSealedFile(stack, name);
  throw new Error(`${back}, or set generation to ${last + 1} for ${renewed}`);
}

function planDamaged({ stack, name, isOnion }: SealRequest, isGenerated: boolean): Plan {
  if (!isGenerated && !isOnion) return "seal";
  throw new Error(damagedSealedFile(stack, name));
}

/** The file was changed without its record: by a kill between the two, or by sops itself. */
function planUnknown(request: SealRequest, stale: SealRecord | undefined, isGenerated: boolean): Plan {
  if (isGenerated || stale === undefined) return "compare";
  if (isElsewhere(request, stale)) return "seal";
  if (request.isOnion) return "compare";
  return sameFingerprint(request, stale) ? "open" : "seal";
}

function planGenerated(request: SealRequest, record: SealRecord, { what }: Generated): Plan {
  const publicPart = publicPartOf(record);
  if (publicPart === undefined || request.generation > record.generation) return "seal";
  if (isOtherKey(request, record)) {
    const remedy = `set generation to ${record.generation + 1} to replace it, or give this secret another name`;
    throw new Error(`${sealedPath(request.stack, request.name)} holds ${publicPart}, no ${what}: ${remedy}`);
  }
  if (request.generation < record.generation) {
    const { stack, name } = request;
    throw new Error(
      `${what} ${name} is of generation ${record.generation}, not ${request.generation}: git checkout an older ` +
        `${sealedPath(stack, name)} with its record, or set generation to ${record.generation}`,
    );
  }
  checkPrefix(request, publicPart);
  return "keep";
}

/** Whether another kind of key is sealed than the source makes: an onion key may have been imported from any source. */
function isOtherKey({ isOnion, source }: SealRequest, record: SealRecord): boolean {
  if (record.onion || isOnion) return record.onion === undefined || !isOnion;
  return sourceOf(source).kind !== Object.keys(record.source)[0];
}

function planFromSource(request: SealRequest, record: SealRecord): Plan {
  if (isRolledBack(request, record)) return "keep";
  if (isElsewhere(request, record)) return "seal";
  if (sourceOf(request.source).kind !== Object.keys(record.source)[0] || request.generation > record.generation)
    return "seal";
  if (request.isOnion && record.onion === undefined) return "seal";
  if (sameFingerprint(request, record)) return "keep";
  return record.byHand ? "compare" : "seal";
}

/** Another source is declared, and it is not there: what is sealed must not pass for it, so reading it is to say why. */
function isElsewhere({ fingerprint, source }: SealRequest, record: SealRecord): boolean {
  return fingerprint === ABSENT_FINGERPRINT && !isSameSource(source, record.source);
}

function sameFingerprint(request: SealRequest, record: SealRecord): boolean {
  return request.fingerprint === record.fingerprint || request.fingerprint === ABSENT_FINGERPRINT;
}
