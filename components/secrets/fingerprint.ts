import { createHash, createHmac } from "node:crypto";
import type { SecretDeclaration } from "./secret";
import { readVariable } from "./sources/environment";
import { readSourceFile } from "./sources/file";
import { readEncryptedEntry } from "./sources/pass-entry";
import { SourceError } from "./sources/source-error";

/** What a secret that was never sealed has where its source is not on this machine either. */
export const absentFingerprint = "absent";

/**
 * By what a secret counts as changed, without asking anyone, running anything or decrypting anything. It is not
 * secret: it goes into Pulumi's state and the record beside the sealed file.
 *
 * - `file`, `env`: HMAC-SHA-256 of the plaintext (a plain hash of a short secret could be guessed)
 * - `pass`: SHA-256 of the entry's encrypted file
 * - `command`: SHA-256 of its argv and the generation
 * - `onion`: its prefix and the generation, in clear
 *
 * @param hmacKey the stack's own random key
 * @param recorded the fingerprint in the record of the last seal: it stands in where the source is not on this
 *   machine, so that a preview without sources shows no false change
 * @throws SourceError if the source is there but cannot be used (unreadable, readable by everybody, empty)
 */
export function fingerprint(
  declaration: Pick<SecretDeclaration, "source" | "generation">,
  hmacKey: Uint8Array,
  recorded: string | undefined,
): string {
  try {
    return fingerprintOfSource(declaration, hmacKey);
  } catch (error) {
    if (error instanceof SourceError && error.absent) return recorded ?? absentFingerprint;
    throw error;
  }
}

/** The same for a kind of source that needs no HMAC key; undefined for `file` and `env`. */
export function keylessFingerprint({
  source,
  generation,
}: Pick<SecretDeclaration, "source" | "generation">): string | undefined {
  if ("onion" in source) return `onion:${source.onion.prefix ?? ""}#${generation}`;
  if ("command" in source) return `command:${sha256(JSON.stringify([source.command, generation]))}`;
  if ("pass" in source) return `pass:${sha256(readEncryptedEntry(source.pass))}`;
  return undefined;
}

function fingerprintOfSource(
  declaration: Pick<SecretDeclaration, "source" | "generation">,
  hmacKey: Uint8Array,
): string {
  const { source } = declaration;
  if ("file" in source) return keyed("file", hmacKey, readSourceFile(source.file));
  if ("env" in source) return keyed("env", hmacKey, readVariable(source.env));
  return keylessFingerprint(declaration) ?? absentFingerprint;
}

function keyed(kind: string, hmacKey: Uint8Array, plaintext: Buffer): string {
  const digest = createHmac("sha256", hmacKey).update(plaintext).digest("hex");
  plaintext.fill(0);
  return `${kind}:${digest}`;
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
