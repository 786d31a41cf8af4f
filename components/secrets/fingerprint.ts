import { createHmac } from "node:crypto";
import type { SecretDeclaration } from "./secret";
import { SourceError } from "./sources/source-error";
import { sourceOf } from "./sources/sources";

/** What a secret that was never sealed has where its source is not on this machine either. */
export const absentFingerprint = "absent";

type Printed = Pick<SecretDeclaration, "source" | "generation">;

/**
 * By what a secret counts as changed, without asking anyone, running anything or decrypting anything. It is not
 * secret: it goes into Pulumi's state and the record beside the sealed file.
 *
 * `KIND:TRACE` for a source that has a trace; for others `KIND:` and the HMAC-SHA-256 of the plaintext (a plain hash of
 * a short secret could be guessed).
 *
 * @param hmacKey the stack's own random key
 * @param recorded the fingerprint in the record of the last seal: it stands in where the source is not on this
 *   machine, so that a preview without sources shows no false change
 * @throws SourceError if the source is there but cannot be used (unreadable, readable by everybody, empty)
 */
export async function fingerprint(
  declaration: Printed,
  hmacKey: Uint8Array,
  recorded: string | undefined,
): Promise<string> {
  try {
    return keylessFingerprint(declaration) ?? (await keyedFingerprint(declaration, hmacKey));
  } catch (error) {
    if (error instanceof SourceError && error.absent) return recorded ?? absentFingerprint;
    throw error;
  }
}

/** The same for a source that has a trace; undefined for others. @throws SourceError */
export function keylessFingerprint({ source, generation }: Printed): string | undefined {
  const { kind, trace } = sourceOf(source);
  return trace && `${kind}:${trace(generation)}`;
}

async function keyedFingerprint({ source }: Printed, hmacKey: Uint8Array): Promise<string> {
  const { kind, read } = sourceOf(source);
  const { content } = await read();
  const digest = createHmac("sha256", hmacKey).update(content).digest("hex");
  content.fill(0);
  return `${kind}:${digest}`;
}
