import * as fs from "node:fs";
import * as path from "node:path";
import { readIfThere } from "../../process/read-if-there";
import { digestOf, outputOf, recordPath, type SealRecord, sealedPath } from "./seal-record";
import type { PreviousRun, SealRequest, SealResult } from "./seal-request";
import { moveSealed, type Place, removeWaiting, writeRecord, writeSealed } from "./sealed-file";
import { withSecretLock } from "./secret-lock";

/** A request whose secret no other run works on. */
export interface Run extends SealRequest, Place {
  /** Whether the sealed file had another name until now. */
  readonly moved: boolean;
  readonly content: Buffer | undefined;
}

/** Runs a piece of work on a secret while no other run may. A renamed secret's files are moved first. */
export function alone(request: SealRequest, work: (run: Run) => Promise<SealResult>): Promise<SealResult> {
  const { stack, name, from } = request;
  return withSecretLock(stack, from ? [name, from] : [name], () => {
    const moved = moveIfRenamed(request);
    const content = readIfThere(sealedPath(stack, name));
    return work({ ...request, moved, content, found: content && digestOf(content) });
  });
}

/** The files of a renamed secret, or stack, are moved; whatever else changed is then seen as under the old name. */
function moveIfRenamed({ stack, name, from, previous }: SealRequest): boolean {
  if (fs.existsSync(sealedPath(stack, name))) return false;
  const former = [...(from ? [{ stack, name: from }] : []), ...formerPlace(stack, previous)];
  const found = former.find((place) => fs.existsSync(sealedPath(place.stack, place.name)));
  if (found) moveSealed(found, { stack, name });
  return found !== undefined;
}

/** Where the last run of the same resource has sealed: after `pulumi stack rename` in another stack's folder. */
function formerPlace(stack: string, previous: PreviousRun | undefined): { stack: string; name: string }[] {
  const { dir, base } = path.parse(previous?.path ?? "");
  const place = { stack: path.basename(dir), name: base.replace(/\.sops\.json$/, "") };
  return place.stack !== stack && sealedPath(place.stack, place.name) === previous?.path ? [place] : [];
}

/** @param content read before: it is sealed for exactly the request's recipients */
export function newRecord(request: SealRequest, content: Buffer, publicPart: string | undefined): SealRecord {
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
    ...(publicPart && (request.isOnion ? { onion: { hostname: publicPart } } : { publicKey: publicPart })),
  };
}

/** Writes what changed, and nothing else. */
export function finish(request: Run, content: Buffer, record: SealRecord, action: SealResult["action"]): SealResult {
  const { stack, name, from } = request;
  if (action === "sealed" || action === "rewrapped") writeSealed(record, content, request);
  else writeRecord(record, request);
  removeWaiting(stack, name);
  if (from && !fs.existsSync(sealedPath(stack, from))) fs.rmSync(recordPath(stack, from), { force: true });
  return {
    path: sealedPath(stack, name),
    digest: record.digest,
    ...outputOf(record),
    action,
    generation: request.generation,
    fingerprint: request.fingerprint,
  };
}
