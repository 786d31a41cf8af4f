import { requireOnPath } from "../../process/find-program";
import { problemOf } from "./check-sealed";
import { helperPrograms } from "./helper-programs";
import { shortKey } from "./pgp-key";
import { forVaultOnly, readSealedContent, type SealFor } from "./sealed-content";
import { runSops, SopsError, type SopsOptions } from "./sops-run";

/**
 * Seals a plaintext. What sops printed is believed only after it was read (see `problemOf`).
 * @returns the sealed file
 * @throws SopsError
 */
export async function encrypt(plaintext: Uint8Array, recipients: SealFor, options?: SopsOptions): Promise<Buffer> {
  const short = shortKey(recipients.pgp);
  if (short) throw new SopsError("seal", short);
  const types = ["--filename-override", "secret.json", "--input-type", "binary", "--output-type", "json"];
  const sealed = await runSops(
    { what: "seal", helpers: helperPrograms(recipients) },
    ["encrypt", ...types, ...recipientFlags(recipients)],
    plaintext,
    options,
  );
  const problem = problemOf(sealed, plaintext, recipients, requireOnPath("sops"));
  if (problem) throw new SopsError("seal", problem);
  return sealed;
}

/**
 * Seals a plaintext that exists nowhere else: the sealed file is opened again, by the vault, before it is given.
 * @returns the sealed file
 * @throws SopsError
 */
export async function encryptOnlyCopy(
  plaintext: Uint8Array,
  recipients: SealFor,
  options?: SopsOptions,
): Promise<Buffer> {
  const sealed = await encrypt(plaintext, recipients, options);
  const opened = await runSops(
    { what: "open what was just sealed", helpers: [] },
    DECRYPT_ARGUMENTS,
    forVaultOnly(sealed),
    options,
  );
  const isSame = opened.equals(plaintext);
  opened.fill(0);
  if (isSame) return sealed;
  const remedy = `check that ${requireOnPath("sops")} is sops itself (sops --version)`;
  throw new SopsError("seal", { reason: "what was just sealed opens as something else", remedy, passing: false });
}

/** Opens a sealed file with any credentials at hand, Key Vault first. @returns the plaintext @throws SopsError */
export function decrypt(content: Uint8Array, options?: SopsOptions): Promise<Buffer> {
  const helpers = helperPrograms(readSealedContent(content) ?? { age: [], pgp: [] });
  return runSops({ what: "open", helpers }, DECRYPT_ARGUMENTS, content, options);
}

const DECRYPT_ARGUMENTS = ["decrypt", "--input-type", "json", "--output-type", "binary"];

function recipientFlags({ keyUrl, age, pgp }: SealFor): string[] {
  return [
    ...["--azure-kv", keyUrl],
    ...(age.length === 0 ? [] : ["--age", age.join(",")]),
    ...(pgp.length === 0 ? [] : ["--pgp", pgp.join(",")]),
  ];
}
