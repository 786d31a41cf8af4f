import type { SecretName } from "./secret";

/** What answers on a port of an onion service: the static site of `nix/site`, or a local TCP address. */
export type ServiceTarget = string;

/** One onion service that the VM runs. */
export interface ServiceDeclaration {
  readonly name: string;
  /** The secret that holds its onion key. */
  readonly key: SecretName;
  /** Port of the onion address -> `site` or `127.0.0.1:PORT`. */
  readonly ports: Readonly<Record<string, ServiceTarget>>;
  /** Secrets that hold the clients' public keys (`descriptor:x25519:…`); none lets everybody in. */
  readonly clientAuthorization: readonly SecretName[];
  /** Whether the operator reaches SSH over port 22 of this address. */
  readonly ssh: boolean;
}
