import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "../../../components/stack/config";
import { type Facts, factsOf } from "../../../components/stack/facts";
import { pulumiConfig } from "../pulumi-config";
import { nobodysSshKey } from "../ssh-key";

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

/** The booted stack's secrets, but for where each plaintext comes from. */
export const bootedSecrets = {
  onion: {},
  token: { owner: "root", mode: "0400", restart: ["onion-site-site.service"] },
  blob: { path: "/run/app/blob" },
};

/** What the golden texts have in place of what only a deployment knows; each is found nowhere else in them. */
const placeholders = {
  keyUrl: "https://sealed-golden.vault.azure.net/keys/sealing/0123456789abcdef0123456789abcdef",
  clientId: "11111111-2222-3333-4444-555555555555",
  hostname: "lbtgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztmn5ad.onion",
  statusUrl: "https://sealedgolden.blob.core.windows.net/status",
  containerUrl: "https://sealedgolden.blob.core.windows.net/systems",
  publicKey: "sealed-onion-golden:3JpEZ4S5bBDpBa8wEwyxgIxBa7KYWTLvk6nQ7dVgSyA=",
};

/** What stands for a sealed file where the golden texts are made: the manifest holds its digest. */
export function placeholderFile(name: string): string {
  return `{ "placeholder": "${name}" }\n`;
}

/** The facts of the booted stack, with placeholders. Sets this process's Pulumi runtime up for it. */
export async function goldenFacts(): Promise<Facts> {
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
  pulumi.runtime.setAllConfig(pulumiConfig({ ...config, ...bootedDials }));
  const { hostname, ...deployed } = placeholders;
  return factsOf(readConfig(), { ...deployed, hostnames: { onion: hostname } });
}

/** The golden texts' placeholders, each with the value that a deployment gives it. */
export function replacements(facts: Facts): [placeholder: string, value: string][] {
  const [service] = Object.values(facts.services);
  if (!service) throw new Error("the booted stack has no onion service");
  return [
    [placeholders.keyUrl, facts.vault.keyUrl],
    [placeholders.clientId, facts.identity.clientId],
    [placeholders.hostname, service.hostname],
    [placeholders.statusUrl, facts.status?.containerUrl ?? ""],
    [placeholders.containerUrl, facts.update?.containerUrl ?? ""],
    [placeholders.publicKey, facts.update?.publicKey ?? ""],
  ];
}
