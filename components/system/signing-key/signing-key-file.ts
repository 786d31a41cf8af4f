import * as path from "node:path";
import { stackFolder } from "../../config/stack-folder";
import { readIfThere } from "../../process/read-if-there";
import { SIGNING_KEY } from "../../secrets/own-secrets";
import { makeFolder, moveInto, moveIntoEmpty, syncFolder, writeDurably } from "../../secrets/seal/place-file";
import { damagedSealedFile, missingSealedFile, sealedPath } from "../../secrets/seal/seal-record";
import { isSealedForExactly, readSealedContent, type SealFor } from "../../secrets/seal/sealed-content";
import { workFolder } from "../../secrets/seal/sealed-file";
import { withSecretLock } from "../../secrets/seal/secret-lock";
import { decrypt, encryptOnlyCopy } from "../../secrets/seal/sops";
import { newSigningKey, readSigningKey, type SigningKey } from "./signing-key";

/** The public half lies beside the sealed file, in clear. */
export function publicKeyPath(stack: string): string {
  return path.join(stackFolder(stack), `${SIGNING_KEY}.pub`);
}

/** The public half as it is on disk; undefined before there is a key. */
export function publicKeyOnDisk(stack: string): string | undefined {
  return readIfThere(publicKeyPath(stack))?.toString("utf8").trim();
}

/**
 * Makes a stack's signing key where there is none, or seals it for others where these changed. It is never replaced: a
 * machine takes nothing that another key has signed.
 * @returns its public half
 */
export function keepSigningKey(stack: string, sealFor: SealFor): Promise<string> {
  return withSecretLock(stack, [SIGNING_KEY], async () => {
    const content = readIfThere(sealedPath(stack, SIGNING_KEY));
    const known = publicKeyOnDisk(stack);
    if (content === undefined && known !== undefined) throw new Error(missingSealedFile(stack, SIGNING_KEY));
    if (content === undefined) return sealKey(stack, newSigningKey(`sealed-onion-${stack}`), sealFor, moveIntoEmpty);
    const sealed = readSealedContent(content);
    if (sealed === undefined) throw new Error(damagedSealedFile(stack, SIGNING_KEY));
    if (!isSealedForExactly(sealed, sealFor)) return sealKey(stack, await decrypt(content), sealFor, moveInto);
    return known ?? writePublic(stack, await decrypt(content));
  });
}

/** Opens a stack's signing key, in memory. @throws if it is not the one that the machine knows */
export async function openSigningKey(stack: string): Promise<SigningKey> {
  const content = readIfThere(sealedPath(stack, SIGNING_KEY));
  if (content === undefined) throw new Error(missingSealedFile(stack, SIGNING_KEY));
  const text = await decrypt(content);
  try {
    const key = readSigningKey(text);
    const known = publicKeyOnDisk(stack);
    if (known === key.publicKey) return key;
    throw new Error(`${publicKeyPath(stack)} is that of another key: git checkout -- ${stackFolder(stack)}`);
  } finally {
    text.fill(0);
  }
}

type Move = (file: string, place: string) => void;

async function sealKey(stack: string, text: Buffer, sealFor: SealFor, move: Move): Promise<string> {
  const sealed = await encryptOnlyCopy(text, sealFor);
  const place = sealedPath(stack, SIGNING_KEY);
  writeAside(stack, place, sealed, move);
  return writePublic(stack, text);
}

/** The text is wiped. */
function writePublic(stack: string, text: Buffer): string {
  const { publicKey } = readSigningKey(text);
  text.fill(0);
  writeAside(stack, publicKeyPath(stack), `${publicKey}\n`, moveInto);
  return publicKey;
}

function writeAside(stack: string, place: string, content: string | Uint8Array, move: Move): void {
  makeFolder(workFolder(stack));
  makeFolder(path.dirname(place));
  const aside = path.join(workFolder(stack), `${path.basename(place)}.${process.pid}`);
  writeDurably(aside, content);
  move(aside, place);
  syncFolder(path.dirname(place));
}
