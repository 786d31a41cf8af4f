import { generateKeyPairSync } from "node:crypto";
import { encodeBase32 } from "../../../components/onion/base32";
import type { TorNetwork } from "./network";

/** The key pair by which a client may find a service that does not let everybody in. */
export interface ClientAuthorization {
  /** What the service is given: `descriptor:x25519:` and the public key in base32. */
  publicLine: string;
  /** What the client is given: the private key, 32 bytes in base64. */
  privateKey: string;
}

/** A new x25519 key pair. Source: https://spec.torproject.org/rend-spec/client-authorization.html */
export function newClientAuthorization(): ClientAuthorization {
  const { publicKey, privateKey } = generateKeyPairSync("x25519", {
    publicKeyEncoding: { format: "der", type: "spki" },
    privateKeyEncoding: { format: "der", type: "pkcs8" },
  });
  return {
    publicLine: `descriptor:x25519:${encodeBase32(publicKey.subarray(-32)).toUpperCase()}`,
    privateKey: privateKey.subarray(-32).toString("base64"),
  };
}

/** Gives the network's client the private key for one service, until the network is closed. */
export async function authorizeClient(
  { client }: Pick<TorNetwork, "client">,
  hostname: string,
  { privateKey }: ClientAuthorization,
): Promise<void> {
  const label = hostname.replace(/\.onion$/, "");
  await client.process.control.ask(`ONION_CLIENT_AUTH_ADD ${label} x25519:${privateKey}`);
}
