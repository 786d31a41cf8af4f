import { generateKeyPairSync } from "node:crypto";

const HEADER = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from("ssh-ed25519"), Buffer.from([0, 0, 0, 32])]);

/** An Ed25519 public key as OpenSSH writes it, in one line without a comment. @param point 32 bytes */
function sshLine(point: Uint8Array): string {
  return `ssh-ed25519 ${Buffer.concat([HEADER, point]).toString("base64")}`;
}

/** Not anybody's key: for a VM that nobody logs in to. */
export const nobodysSshKey = sshLine(Buffer.alloc(32, 7));

/** The public half of a new key, as a recipient; the private half is forgotten. */
export function newSshRecipient(): string {
  // The generator itself encodes the key: see test/azure/entra/rsa-key.ts.
  const { publicKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return sshLine(publicKey.subarray(-32));
}
