import { onionHostname } from "../../onion/hostname";
import { parseOnionKey } from "../../onion/keys";
import { readPlaintext } from "../sources/read-source";
import type { Plaintext } from "../sources/source";
import { SourceError } from "../sources/source-error";
import { sourceOf } from "../sources/sources";
import { checkPrefix } from "./seal-plan";
import { type SealRecord, sealedPath } from "./seal-record";
import type { SealRequest } from "./seal-request";
import { decrypt } from "./sops";

/** Whether what is sealed stands. */
export type Compared =
  /** It does not. The source's plaintext, where it was read already. */
  | { readonly plan: "seal"; readonly plaintext?: Plaintext }
  /** It does; `verified` if it is known to be what the source says. */
  | { readonly plan: "keep"; readonly hostname?: string; readonly verified: boolean };

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
  if (known?.hostname === hostname && request.generation > (known.generation ?? 1)) return { plan: "seal" };
  checkPrefix(request, hostname);
  return { plan: "keep", hostname, verified: true };
}

async function compareWithSource(request: SealRequest, sealed: Buffer): Promise<Compared> {
  const plaintext = await readUnlessAbsent(request);
  if (plaintext && !plaintext.content.equals(sealed)) return { plan: "seal", plaintext };
  plaintext?.content.fill(0);
  const hostname = request.isOnion ? { hostname: await hostnameOf(request, sealed) } : {};
  return { plan: "keep", ...hostname, verified: plaintext !== undefined };
}

async function hostnameOf({ stack, name }: SealRequest, sealed: Buffer): Promise<string> {
  try {
    return onionHostname((await parseOnionKey(sealed)).publicKey);
  } catch {
    const file = sealedPath(stack, name);
    throw new Error(`${file} holds no onion key: restore it with git checkout -- ${file}`);
  }
}

async function readUnlessAbsent(request: SealRequest): Promise<Plaintext | undefined> {
  try {
    return await readPlaintext(request);
  } catch (error) {
    if (error instanceof SourceError && error.absent) return undefined;
    throw error;
  }
}
