import { constants, createPublicKey, privateDecrypt, publicEncrypt } from "node:crypto";
import { cloudError } from "../gateway/error-answers";
import { type Answer, json } from "../gateway/exchange";
import type { KeyOperation, KeyVersion } from "./key-store";
import type { KeyRight } from "./key-vault-access";

export interface KeyCommand extends KeyRight {
  /** What the key's own list of operations must hold. */
  keyOperation: KeyOperation;
  direction: "in" | "out";
}

/** By the last part of the path, lower case. */
export const KEY_COMMANDS: Readonly<Record<string, KeyCommand>> = {
  encrypt: { policy: "encrypt", dataAction: "encrypt/action", keyOperation: "encrypt", direction: "in" },
  decrypt: { policy: "decrypt", dataAction: "decrypt/action", keyOperation: "decrypt", direction: "out" },
  wrapkey: { policy: "wrapKey", dataAction: "wrap/action", keyOperation: "wrapKey", direction: "in" },
  unwrapkey: { policy: "unwrapKey", dataAction: "unwrap/action", keyOperation: "unwrapKey", direction: "out" },
};

/** RSA1_5 is not offered: Node's OpenSSL may refuse it, and no client of today should use it. */
const OAEP_HASHES: Readonly<Record<string, string>> = { "RSA-OAEP": "sha1", "RSA-OAEP-256": "sha256" };

function badParameter(message: string): Answer {
  return cloudError(400, "BadParameter", message);
}

function forbidden(command: KeyCommand, why: string, innerCode: string): Answer {
  return cloudError(403, "Forbidden", `Operation ${command.keyOperation} is not ${why}.`, { innerCode });
}

/** A version that is switched off, out of its time, or not made for this operation. */
export function unusable(key: KeyVersion, command: KeyCommand, now: number): Answer | undefined {
  const seconds = now / 1000;
  if (!key.enabled) return forbidden(command, "allowed on a disabled key", "KeyDisabled");
  // Outside its window a key still opens what was sealed with it: only new ciphertext is refused.
  // https://learn.microsoft.com/azure/key-vault/keys/about-keys-details#date-time-controlled-operations
  if (command.direction === "in" && key.notBefore !== undefined && seconds < key.notBefore) {
    return forbidden(command, "allowed on a key that is not yet valid", "KeyNotYetValid");
  }
  if (command.direction === "in" && key.expires !== undefined && seconds >= key.expires) {
    return forbidden(command, "allowed on an expired key", "KeyExpired");
  }
  if (key.keyOps.includes(command.keyOperation)) return undefined;
  return forbidden(command, "permitted on this key", "KeyOperationForbidden");
}

function parseRequest(body: string): { hash: string; value: Buffer } | Answer {
  try {
    const { alg, value } = JSON.parse(body) as { alg?: unknown; value?: unknown };
    const hash = typeof alg === "string" ? OAEP_HASHES[alg] : undefined;
    if (hash === undefined)
      return badParameter(`Key and signing key type, property alg has invalid value '${String(alg)}'`);
    if (typeof value !== "string" || !/^[A-Za-z0-9_-]+={0,2}$/.test(value)) {
      return badParameter("Property value has invalid value\r\n");
    }
    return { hash, value: Buffer.from(value, "base64url") };
  } catch {
    return badParameter("Request body is not valid JSON.");
  }
}

/** Does the operation for real: RSA-OAEP with SHA-1 or SHA-256 under this version's key. */
export function runCommand(key: KeyVersion, kid: string, command: KeyCommand, body: string): Answer {
  const request = parseRequest(body);
  if ("status" in request) return request;
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: request.hash };
  try {
    const result =
      command.direction === "in"
        ? publicEncrypt({ key: createPublicKey(key.privateKey), ...padding }, request.value)
        : privateDecrypt({ key: key.privateKey, ...padding }, request.value);
    return json(200, { kid, value: result.toString("base64url") });
  } catch {
    return badParameter("The parameter is incorrect.\r\n");
  }
}
