import { stackFolder } from "../../config/stack-folder";
import { onionHostname } from "../../onion/hostname";
import { parseOnionKey } from "../../onion/keys";
import { readPlaintext } from "../sources/read-source";
import type { ReadPlaintext } from "../sources/source";
import { SourceError } from "../sources/source-error";
import { sourceOf } from "../sources/sources";
import { checkPrefix } from "./seal-plan";
import { type SealRecord, sealedPath } from "./seal-record";
import type { SealRequest } from "./seal-request";
import { decrypt } from "./sops";

/** Whether what is sealed stands. */
export type Compared =
  /** It does not. The source's plaintext, where it was read already. */
  | { readonly plan: "seal"; readonly plaintext?: ReadPlaintext }
  /** It does; `verified` if it is known to be what the source says. */
  | { readonly plan: "keep"; readonly hostname?: string; readonly verified: boolean; readonly fingerprint?: string };

/**
 * Opens a sealed file whose record is lost or of another content, and says whether it stands.
 * @param stale the record that lies beside it
 * @throws SopsError if it cannot be opened
 */
export async function compare(request: SealRequest, stale: SealRecord | undefined, content: Buffer): Promise<Compared> {
  const sealed = await decrypt(content);
  try {
    if (sourceOf(request.source).generated) return await compareGenerated(request, stale, sealed);
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
): Promise<Compared> {
  const hostname = await hostnameOf(request, sealed);
  const known = stale?.onion ? { hostname: stale.onion.hostname, generation: stale.generation } : request.previous;
  const isNewGeneration = request.generation > (known?.generation ?? 1);
  if (known?.hostname === hostname && isNewGeneration) return { plan: "seal" };
  if (known?.hostname && known.hostname !== hostname && !isNewGeneration) {
    throw new Error(anotherAddress(request, known.hostname, hostname));
  }
  checkPrefix(request, hostname);
  return { plan: "keep", hostname, verified: true };
}

function anotherAddress({ stack, name }: SealRequest, known: string, found: string): string {
  const back = `git checkout -- ${stackFolder(stack)}/${name}.* brings the old one back`;
  const adopt = `npm run secrets -- adopt ${name} --stack ${stack} takes the new one`;
  return `${sealedPath(stack, name)} holds onion key ${found}, it was ${known}: ${back}, ${adopt}`;
}

/**
 * Opens a sealed file and takes it as it is.
 * @returns the address of an onion key
 * @throws if it cannot be opened, or holds no onion key where there must be one
 */
export async function openAsItIs(request: SealRequest, content: Buffer): Promise<string | undefined> {
  const sealed = await decrypt(content);
  try {
    if (!request.isOnion) return undefined;
    const hostname = await hostnameOf(request, sealed);
    checkPrefix(request, hostname);
    return hostname;
  } finally {
    sealed.fill(0);
  }
}

async function compareWithSource(request: SealRequest, sealed: Buffer): Promise<Compared> {
  const plaintext = await readUnlessAbsent(request);
  if (plaintext && !plaintext.content.equals(sealed)) return { plan: "seal", plaintext };
  plaintext?.content.fill(0);
  const hostname = request.isOnion ? { hostname: await hostnameOf(request, sealed) } : {};
  const fingerprint = plaintext?.fingerprint && { fingerprint: plaintext.fingerprint };
  return { plan: "keep", ...hostname, ...fingerprint, verified: plaintext !== undefined };
}

async function hostnameOf({ stack, name }: SealRequest, sealed: Buffer): Promise<string> {
  try {
    return onionHostname((await parseOnionKey(sealed)).publicKey);
  } catch {
    const file = sealedPath(stack, name);
    throw new Error(`${file} holds no onion key: restore it with git checkout -- ${file}`);
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
