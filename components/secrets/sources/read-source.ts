import { parseOnionHostname } from "../../onion/hostname";
import { parseOnionKey } from "../../onion/keys";
import { readIfThere } from "../../process/read-if-there";
import { keyedFingerprint, keylessFingerprint } from "../fingerprint";
import type { SealRequest } from "../seal/seal-request";
import { onionPlaintext } from "./onion";
import type { Plaintext, ReadPlaintext } from "./source";
import { SourceError } from "./source-error";
import { sourceOf } from "./sources";

type Reading = Omit<SealRequest, "recipients" | "from" | "previous">;

/**
 * Takes a secret's plaintext from its source into memory, and nowhere else. An onion key is checked and brought to
 * the form that tor reads.
 * @throws SourceError that names the source and holds no byte of the secret
 */
export async function readPlaintext(request: Reading): Promise<ReadPlaintext> {
  const plaintext = await readSource(request);
  if (!request.isOnion || plaintext.publicPart !== undefined) return plaintext;
  try {
    const key = onionPlaintext(await parseOnionKey(plaintext.content));
    checkHostname(request, key.publicPart);
    return { ...key, fingerprint: plaintext.fingerprint };
  } finally {
    plaintext.content.fill(0);
  }
}

/** @throws SourceError if the onion key does not have the hostname that is expected of it */
export function checkHostname(
  { expectedHostname, name }: Pick<Reading, "expectedHostname" | "name">,
  hostname: string,
): void {
  if (!expectedHostname) return;
  const expected = readExpectedHostname(expectedHostname);
  if (expected === hostname) return;
  throw new SourceError(`onion key ${name} is ${hostname}, not ${expected}: correct its source or its hostname`);
}

/** @param expected `….onion`, or the path of tor's `hostname` file */
function readExpectedHostname(expected: string): string {
  if (expected.trim().toLowerCase().endsWith(".onion")) return parseOnionHostname(expected).hostname;
  const content = readIfThere(expected);
  if (content === undefined) throw new SourceError(`hostname file ${expected} does not exist: correct its path`);
  return parseOnionHostname(content.toString("utf8")).hostname;
}

/** What asks a person or a service is read once for all who want it at the same time. */
async function readSource(request: Reading): Promise<ReadPlaintext> {
  const { generated, read, trace } = sourceOf(request.source);
  if (trace === undefined) return withFingerprint(request, await read());
  const before = keylessFingerprint(request);
  if (generated) return { ...(await read()), fingerprint: before };
  const { readShared } = await import("./shared-reading.js");
  // With its trace: what another one read before the source changed is not what this one is to seal.
  const content = await readShared([request.source, before], async () => (await read()).content);
  if (keylessFingerprint(request) === before) return { content, fingerprint: before };
  content.fill(0);
  throw new SourceError(`source of ${request.name} changed while it was read: run it again`);
}

/** What was read may be another plaintext than the preview saw: the fingerprint is that of what was read. */
function withFingerprint(request: Reading, plaintext: Plaintext): ReadPlaintext {
  const { fingerprintKey: key, source, stack, name, fingerprint } = request;
  const own = key && keyedFingerprint(source, plaintext.content, { key, stack, name }, fingerprint);
  return { ...plaintext, fingerprint: own };
}
