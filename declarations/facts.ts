import type { BootAgent } from "./guest";
import type { SecretName } from "./secret";
import type { ServiceTarget } from "./services";

/** Where a secret goes on the VM. */
export interface SecretPlacement {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  readonly restart: readonly string[];
  /** `NAME.sops.json`, beside the facts. */
  readonly sealedFile: string;
}

/** An onion service as the guest runs it. Its public key is the first 32 bytes of the hostname. */
export interface ServiceFacts {
  readonly secret: SecretName;
  readonly hostname: string;
  readonly ports: Readonly<Record<string, ServiceTarget>>;
  readonly clientAuthorization: readonly SecretName[];
  readonly ssh: boolean;
}

/** How Vault Agent on the VM logs in, where `vaultAuth` is configured. */
export interface VaultAgentFacts {
  readonly address: string;
  /** The mount path of the azure auth method, without `auth/`. */
  readonly mount: string;
  readonly role: string;
  /** The audience of the VM's token. */
  readonly resource: string;
}

/** The guest's own dials. */
export interface GuestFacts {
  readonly adminUser: string;
  readonly imageGeneration: 2;
  readonly readyWhenUnsealed: boolean;
  readonly userDataSecrets: boolean;
  readonly bootAgent: Pick<BootAgent, "checkIn" | "hostname" | "sshKeys" | "entropy">;
}

/** What the guest must know of its stack: the content of `nix/stacks/STACK/facts.json`. Nothing in it is secret. */
export interface Facts {
  readonly version: 1;
  readonly stack: string;
  readonly vault: { readonly uri: string; readonly keyUrl: string };
  readonly identity: { readonly clientId: string };
  readonly secrets: Readonly<Record<SecretName, SecretPlacement>>;
  readonly services: Readonly<Record<string, ServiceFacts>>;
  readonly guest: GuestFacts;
  readonly vaultAgent?: VaultAgentFacts;
}

/** The text of `facts.json`: indented, keys sorted, so that equal facts are equal bytes. */
export function factsText(facts: Facts): string {
  return `${JSON.stringify(sorted(facts), null, 2)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
