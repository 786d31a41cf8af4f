import { stackFolder } from "../../config/stack-folder";
import { readPlaintext } from "../sources/read-source";
import type { KeyKind, ReadPlaintext } from "../sources/source";
import { SourceError } from "../sources/source-error";
import { keyKindOf, sourceOf } from "../sources/sources";
import { checkPrefix } from "./seal-plan";
import { publicPartOf, type SealRecord, sealedPath } from "./seal-record";
import type { SealRequest } from "./seal-request";
import { decrypt } from "./sops";

/** Whether what is sealed stands. */
export type Compared =
  /** It does not. The source's plaintext, where it was read already. */
  | { readonly plan: "seal"; readonly plaintext?: ReadPlaintext }
  /** It does; `verified` if it is known to be what the source says. */
  | { readonly plan: "keep"; readonly publicPart?: string; readonly verified: boolean; readonly fingerprint?: string };

/**
 * Opens a sealed file whose record is lost or of another content, and says whether it stands.
 * @param stale the record that lies beside it
 * @throws SopsError if it cannot be opened
 */
export async function compare(request: SealRequest, stale: SealRecord | undefined, content: Buffer): Promise<Compared> {
  const sealed = await decrypt(content);
  try {
    const { generated } = sourceOf(request.source);
    if (generated) return await compareGenerated(request, stale, sealed, generated);
    return await compareWithSource(request, sealed);
  } finally {
    sealed.fill(0);
  }
}

/** A generated key is the only one of its kind: it stands unless it is the old one and a new generation is wanted. */
async function compareGenerated(
  request: SealRequest,
  stale: SealRecord | undefined,
  sealed: Buffer,
  kind: KeyKind,
): Promise<Compared> {
  const publicPart = await publicPartIn(request, sealed, kind);
  const { previous } = request;
  const recorded = stale && publicPartOf(stale);
  const known = recorded ?? previous?.hostname ?? previous?.publicKey;
  const knownGeneration = (recorded ? stale.generation : previous?.generation) ?? 1;
  const isNewGeneration = request.generation > knownGeneration;
  if (known === publicPart && isNewGeneration) return { plan: "seal" };
  if (known && known !== publicPart && !isNewGeneration) {
    throw new Error(anotherKey(request, kind, known, publicPart));
  }
  checkPrefix(request, publicPart);
  return { plan: "keep", publicPart, verified: true };
}

function anotherKey({ stack, name }: SealRequest, { what }: KeyKind, known: string, found: string): string {
  const back = `git checkout -- ${stackFolder(stack)}/${name}.* brings the old one back`;
  const adopt = `npm run secrets -- adopt ${name} --stack ${stack} takes the new one`;
  return `${sealedPath(stack, name)} holds ${what} ${found}, it was ${known}: ${back}, ${adopt}`;
}

/**
 * Opens a sealed file and takes it as it is.
 * @returns the public part of a key
 * @throws if it cannot be opened, or holds no such key where there must be one
 */
export async function openAsItIs(request: SealRequest, content: Buffer): Promise<string | undefined> {
  const sealed = await decrypt(content);
  try {
    const kind = keyKindOf(request);
    if (kind === undefined) return undefined;
    const publicPart = await publicPartIn(request, sealed, kind);
    checkPrefix(request, publicPart);
    return publicPart;
  } finally {
    sealed.fill(0);
  }
}

async function compareWithSource(request: SealRequest, sealed: Buffer): Promise<Compared> {
  const plaintext = await readUnlessAbsent(request);
  if (plaintext && !plaintext.content.equals(sealed)) return { plan: "seal", plaintext };
  plaintext?.content.fill(0);
  const kind = keyKindOf(request);
  const key = kind ? { publicPart: await publicPartIn(request, sealed, kind) } : {};
  const fingerprint = plaintext?.fingerprint && { fingerprint: plaintext.fingerprint };
  return { plan: "keep", ...key, ...fingerprint, verified: plaintext !== undefined };
}

async function publicPartIn({ stack, name }: SealRequest, sealed: Buffer, kind: KeyKind): Promise<string> {
  try {
    return await kind.publicPart(sealed);
  } catch {
    const file = sealedPath(stack, name);
    throw new Error(`${file} holds no ${kind.what}: restore it with git checkout -- ${file}`);
  }
}

async function readUnlessAbsent(request: SealRequest): Promise<ReadPlaintext | undefined> {
  try {
    return await readPlaintext(request);
  } catch (error) {
    if (error instanceof SourceError && error.absent) return undefined;
    throw error;
  }
}
