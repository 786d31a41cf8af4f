import { createHmac } from "node:crypto";
import type { SecretDeclaration } from "./secret";
import { SourceError } from "./sources/source-error";
import { isSameSource, type SecretSource, sourceOf } from "./sources/sources";

/** What a secret has whose source is not on this machine, and whose sealed file was never made from that source. */
export const ABSENT_FINGERPRINT = "absent";

/** A plaintext's fingerprint: `KIND:STACK/NAME:HMAC`, in older records `KIND:HMAC`. */
const KEYED = /^[a-z]+:(?:([^:]+):)?[0-9a-f]{64}$/;

/** What keyed fingerprints are taken with. */
export interface FingerprintKey {
  /** The stack's own random key. */
  readonly key: Uint8Array;
  /** Whose plaintext it is: equal plaintexts of two secrets have unlike fingerprints. */
  readonly stack: string;
  readonly name: string;
}

/** What the record of the last seal says. */
export interface Recorded {
  readonly source: SecretSource;
  readonly fingerprint: string;
}

/**
 * By what a secret counts as changed, without asking anyone, running anything or decrypting anything. It is not
 * secret: it goes into Pulumi's state and the record beside the sealed file.
 *
 * `KIND:TRACE` for a source that has a trace; for others `KIND:STACK/NAME:` and the HMAC-SHA-256 of the plaintext (a
 * plain hash of a short secret could be guessed).
 *
 * @param recorded stands in where the very source that it was taken of is not on this machine, so that a preview
 *   without sources shows no false change
 * @throws SourceError if the source is there but cannot be used (unreadable, readable by everybody, empty)
 */
export async function fingerprint(
  declaration: Pick<SecretDeclaration, "name" | "source" | "generation">,
  { stack, key, recorded }: { stack: string; key: Uint8Array; recorded: Recorded | undefined },
): Promise<string> {
  const { name, source } = declaration;
  try {
    const keyless = keylessFingerprint(declaration);
    if (keyless !== undefined) return keyless;
    const { content } = await sourceOf(source).read();
    const taken = keyedFingerprint(source, content, { key, stack, name }, recorded?.fingerprint);
    content.fill(0);
    return taken;
  } catch (error) {
    if (error instanceof SourceError && error.absent) return absentOr(recorded, source);
    throw error;
  }
}

/** What stands in for a source that is not on this machine. */
export function absentOr(recorded: Recorded | undefined, source: SecretSource): string {
  return recorded && isSameSource(recorded.source, source) ? recorded.fingerprint : ABSENT_FINGERPRINT;
}

/** The fingerprint of a source that has a trace; undefined for others. @throws SourceError */
export function keylessFingerprint({
  source,
  generation,
}: Pick<SecretDeclaration, "source" | "generation">): string | undefined {
  const { kind, trace } = sourceOf(source);
  return trace && `${kind}:${trace(generation)}`;
}

/**
 * The fingerprint of a plaintext.
 * @param known a fingerprint that stays if it is of this plaintext: of the older form, or taken under the name that the
 *   secret had before. Neither a new version of this program nor a renaming changes a secret.
 */
export function keyedFingerprint(
  source: SecretSource,
  content: Uint8Array,
  { key, stack, name }: FingerprintKey,
  known: string | undefined,
): string {
  const { kind } = sourceOf(source);
  const match = known?.startsWith(`${kind}:`) ? KEYED.exec(known) : null;
  if (known && match && keyed(kind, match[1], content, key) === known) return known;
  return keyed(kind, `${stack}/${name}`, content, key);
}

function keyed(kind: string, holder: string | undefined, content: Uint8Array, key: Uint8Array): string {
  const hmac = createHmac("sha256", key);
  if (holder === undefined) return `${kind}:${hmac.update(content).digest("hex")}`;
  return `${kind}:${holder}:${hmac.update(`${holder}\0`).update(content).digest("hex")}`;
}
