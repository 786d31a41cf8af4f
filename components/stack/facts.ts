import * as pulumi from "@pulumi/pulumi";
import { SSH_HOST_KEY } from "../secrets/own-secrets";
import type { SecretDeclaration, SecretName } from "../secrets/secret";
import type { UpdateSettings } from "../system/update-settings";
import type { VaultAuth } from "../vault-auth/vault-auth";
import type { BootAgent } from "../vm/boot-agent";
import { type Logs, logReaders } from "../vm/logs";
import { needsOf } from "../vm/vm-size";
import type { StackConfig } from "./config";
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
  /** Nix's name of the machine's processor and system. @default x86_64-linux, which is then left out */
  readonly system?: string;
  readonly adminUser: string;
  readonly readyWhenUnsealed: boolean;
  readonly userDataSecrets: boolean;
  readonly bootAgent: Pick<BootAgent, "checkIn" | "hostname" | "sshKeys" | "entropy">;
}

/** What the guest must know of its stack: the content of `nix/stacks/STACK/facts.json`. Nothing in it is secret. */
export interface Facts {
  readonly version: 1;
  readonly stack: string;
  readonly vault: { readonly keyUrl: string };
  readonly identity: { readonly clientId: string };
  readonly secrets: Readonly<Record<SecretName, SecretPlacement>>;
  readonly services: Readonly<Record<string, ServiceFacts>>;
  readonly guest: GuestFacts;
  readonly vaultAgent?: VaultAgentFacts;
  /** Whether a data disk is attached to the machine. */
  readonly dataDisk?: true;
  /** The secret that holds sshd's key, where a service offers SSH. */
  readonly sshHostKey?: SecretName;
  /** Where the machine writes how it is: `https://ACCOUNT.blob.core.windows.net/status`. */
  readonly status?: { readonly containerUrl: string };
  /** Which journal the machine hands out beside it, and the age and SSH public keys that it is encrypted for. */
  readonly logs?: Logs & { readonly recipients: readonly string[] };
  /** Where the machine finds systems to take in place, and what it believes them by. */
  readonly update?: UpdateFacts;
  readonly replica?: ReplicaFacts;
  readonly frontEnd?: FrontEndFacts;
}

/** Onion services whose address a front end publishes, and the replicas of each: the first one first. */
export interface ReplicaFacts {
  readonly services: Readonly<Record<string, readonly { readonly secret: string; readonly hostname: string }[]>>;
}

/** The addresses that a front end publishes. */
export interface FrontEndFacts {
  /** The stack whose front end it is. */
  readonly of: string;
  readonly services: Readonly<
    Record<string, { readonly secret: string; readonly hostname: string; readonly backends: readonly string[] }>
  >;
}

export interface UpdateFacts extends Pick<UpdateSettings, "reboot"> {
  /** `https://ACCOUNT.blob.core.windows.net/systems` */
  readonly containerUrl: string;
  /** `NAME:base64`, as Nix's `trusted-public-keys`. */
  readonly publicKey: string;
  /** Systems before the current one that stay. */
  readonly keep: number;
}

/** What only Azure and the sealed keys could tell. */
export interface Deployed {
  readonly keyUrl: string;
  readonly clientId: string;
  readonly statusUrl: string;
  /** Hostnames of the onion keys, by secret name. */
  readonly hostnames: Readonly<Record<SecretName, string | undefined>>;
  /** Where systems to take in place lie; none where each change is a new machine. */
  readonly containerUrl?: string;
  /** What signs them. */
  readonly publicKey?: string;
}

/** The text of the facts, once all that is known only then is known. */
export function deployedFacts(
  config: StackConfig,
  deployed: { readonly [K in keyof Deployed]: pulumi.Input<Deployed[K]> },
  facts: (config: StackConfig, deployed: Deployed) => Facts = factsOf,
): pulumi.Output<string> {
  return pulumi.output(deployed).apply((known) => factsText(facts(config, known as Deployed)));
}

/** The facts of a configuration, once it is deployed. */
export function factsOf(config: StackConfig, deployed: Deployed): Facts {
  const { keyUrl, clientId, hostnames, statusUrl } = deployed;
  const { adminUser } = config.machine;
  const { readyWhenUnsealed, userDataSecrets, ...bootAgent } = config.bootAgent;
  const services = config.services.map(({ name, key, ...service }) => {
    const hostname = hostnames[key];
    if (hostname === undefined) throw new Error(`onion key ${key} of service ${name} has no hostname`);
    return [name, { secret: key, hostname, ...service }] as const;
  });
  return {
    version: 1,
    stack: config.stack,
    vault: { keyUrl },
    identity: { clientId },
    secrets: Object.fromEntries(config.secrets.map((secret) => [secret.name, placementOf(secret)])),
    ...(config.machine.dataDisk === undefined ? {} : { dataDisk: true }),
    ...(config.services.some(({ ssh }) => ssh) ? { sshHostKey: SSH_HOST_KEY } : {}),
    services: Object.fromEntries(services),
    guest: { ...systemOf(config.machine), adminUser, readyWhenUnsealed, userDataSecrets, bootAgent },
    ...(config.vaultAuth === undefined ? {} : { vaultAgent: agentOf(config.vaultAuth) }),
    ...(config.status ? { status: { containerUrl: statusUrl } } : {}),
    ...(config.logs === undefined ? {} : { logs: { ...config.logs, recipients: logReaders(config.recipients.age) } }),
    ...updateOf(config, deployed),
  };
}

function updateOf({ image, update }: StackConfig, { containerUrl, publicKey }: Deployed): Pick<Facts, "update"> {
  if (containerUrl === undefined || publicKey === undefined) return {};
  return { update: { containerUrl, publicKey, reboot: update.reboot, keep: image.keep } };
}

function systemOf({ vmSize }: StackConfig["machine"]): Pick<GuestFacts, "system"> {
  return needsOf(vmSize).architecture === "Arm64" ? { system: "aarch64-linux" } : {};
}

function placementOf({ name, path, owner, group, mode, restart }: SecretDeclaration): SecretPlacement {
  return { path, owner, group, mode, restart, sealedFile: `${name}.sops.json` };
}

function agentOf({ address, mount, agentRole, resource }: VaultAuth): VaultAgentFacts {
  return { address, mount, role: agentRole, resource };
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
