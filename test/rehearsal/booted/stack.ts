import * as pulumi from "@pulumi/pulumi";
import { onionHostname } from "../../../components/onion/hostname";
import { readConfig } from "../../../components/stack/config";
import type { Facts } from "../../../components/stack/facts";
import { machineFacts } from "../../../components/stack/fleet-facts";
import { pulumiConfig } from "../pulumi-config";
import { nobodysSshKey } from "../ssh-key";
import { FLEET_REPLICAS } from "./golden";

/** Configuration keys of the booted stack besides region, recipients, image and SSH key: everything that boots is on. */
export const bootedDials = {
  "sealed-onion:update": "inPlace",
  "sealed-onion:status": "true",
  "sealed-onion:services": JSON.stringify({ site: { key: "onion", ports: { "80": "site" }, ssh: true } }),
  "sealed-onion:bootAgent": JSON.stringify({
    checkIn: true,
    hostname: true,
    sshKeys: true,
    readyWhenUnsealed: true,
    userDataSecrets: true,
  }),
};

/** The same of several machines behind one address, and of what they cannot have. */
export const fleetDials = {
  ...bootedDials,
  "sealed-onion:replicas": `${FLEET_REPLICAS}`,
  "sealed-onion:zones": "[1,2,3]",
  "sealed-onion:authorization": "rbac",
  "sealed-onion:update": "replace",
  "sealed-onion:services": JSON.stringify({ site: { key: "onion", ports: { "80": "site" } } }),
};

/** The booted stack's secrets, but for where each plaintext comes from. */
export const bootedSecrets = {
  onion: {},
  token: { owner: "root", mode: "0400", restart: ["onion-site-site.service"] },
  blob: { path: "/run/app/blob" },
};

/** What the golden texts have in place of what only a deployment knows; each is found nowhere else in them. */
const PLACEHOLDERS = {
  keyUrl: "https://sealed-golden.vault.azure.net/keys/sealing/0123456789abcdef0123456789abcdef",
  clientId: "11111111-2222-3333-4444-555555555555",
  hostname: "lbtgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztmn5ad.onion",
  statusUrl: "https://sealedgolden.blob.core.windows.net/status",
  containerUrl: "https://sealedgolden.blob.core.windows.net/systems",
  publicKey: "sealed-onion-golden:3JpEZ4S5bBDpBa8wEwyxgIxBa7KYWTLvk6nQ7dVgSyA=",
};

/** The replicas' own addresses, of keys that nobody has. */
const replicaPlaceholders = Array.from({ length: FLEET_REPLICAS }, (_, index) => {
  return onionHostname(Buffer.alloc(32, `golden replica ${index + 1}`));
});

/** What stands for a sealed file where the golden texts are made: the manifest holds its digest. */
export function placeholderFile(name: string): string {
  return `{ "placeholder": "${name}" }\n`;
}

/** The facts of the booted stack, or of its fleet, with placeholders. Sets this process's Pulumi runtime up for it. */
export async function goldenFacts(dials: Readonly<Record<string, string>> = bootedDials): Promise<Facts> {
  const unexpected = () => {
    throw new Error("reading a configuration registers nothing");
  };
  await pulumi.runtime.setMocks({ newResource: unexpected, call: unexpected }, "sealed-onion", "rehearsal", true);
  const secrets = Object.entries(bootedSecrets).map(([name, declaration]) => [
    name,
    { ...declaration, source: name === "onion" ? { onion: {} } : { env: "NOWHERE" } },
  ]);
  const config = {
    "azure-native:location": "westeurope",
    sshPublicKey: nobodysSshKey,
    secrets: Object.fromEntries(secrets),
  };
  pulumi.runtime.setAllConfig(pulumiConfig({ ...config, ...dials }));
  const { hostname, ...deployed } = PLACEHOLDERS;
  const own = replicaPlaceholders.map((address, index) => [`onion-replica-${index + 1}`, address]);
  const hostnames = { onion: hostname, ...Object.fromEntries(own) };
  const read = readConfig();
  const { containerUrl: _, publicKey: __, ...always } = deployed;
  return machineFacts(read, { ...(read.update.update === "inPlace" ? deployed : always), hostnames });
}

/** The golden texts' placeholders, each with the value that a deployment gives it. */
export function replacements(facts: Facts): [placeholder: string, value: string][] {
  const [service] = Object.values(facts.services);
  if (!service) throw new Error("the booted stack has no onion service");
  const replicas = facts.replica?.services.site ?? [];
  return [
    ...replicas.map(({ hostname }, index): [string, string] => [replicaPlaceholders[index] ?? "", hostname]),
    [PLACEHOLDERS.keyUrl, facts.vault.keyUrl],
    [PLACEHOLDERS.clientId, facts.identity.clientId],
    [PLACEHOLDERS.hostname, service.hostname],
    [PLACEHOLDERS.statusUrl, facts.status?.containerUrl ?? ""],
    [PLACEHOLDERS.containerUrl, facts.update?.containerUrl ?? ""],
    [PLACEHOLDERS.publicKey, facts.update?.publicKey ?? ""],
  ];
}
