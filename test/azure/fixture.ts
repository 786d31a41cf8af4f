import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type AzureOptions, type LoopbackAzure, startAzure } from "./azure";
import type { Cloud, CloudResource, Principal } from "./cloud";

export const GUEST = {
  principalId: "11111111-1111-4111-8111-111111111111",
  clientId: "22222222-2222-4222-8222-222222222222",
};
export const OTHER = {
  principalId: "33333333-3333-4333-8333-333333333333",
  clientId: "44444444-4444-4444-8444-444444444444",
};
/** In the public cloud. */
export const VAULT_URL = "https://kv-test.vault.azure.net";

/** One key for all tests of a file: making one takes longer than using it. */
const { privateKey: privateKeyPem } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

export interface Ids {
  group: string;
  vault: string;
  guest: string;
  other: string;
  machine: string;
  account: string;
}

/** Resource ids of what `furnish` makes. */
function idsOf(cloud: Cloud): Ids {
  const group = `/subscriptions/${cloud.subscriptionId}/resourceGroups/rg`;
  return {
    group,
    vault: `${group}/providers/Microsoft.KeyVault/vaults/kv-test`,
    guest: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/guest`,
    other: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/other`,
    machine: `${group}/providers/Microsoft.Compute/virtualMachines/web`,
    account: `${group}/providers/Microsoft.Storage/storageAccounts/sealedtest`,
  };
}

export function identity(id: string, ids: { principalId: string; clientId: string }, tenantId: string): CloudResource {
  const name = id.split("/").at(-1) ?? "";
  const properties = { ...ids, tenantId };
  return { id, type: "Microsoft.ManagedIdentity/userAssignedIdentities", name, location: "westeurope", properties };
}

export function vault(cloud: Cloud, properties: Record<string, unknown> = {}): CloudResource {
  return {
    id: idsOf(cloud).vault,
    type: "Microsoft.KeyVault/vaults",
    name: "kv-test",
    location: "westeurope",
    properties: { tenantId: cloud.tenantId, enableRbacAuthorization: false, accessPolicies: [], ...properties },
  };
}

export function policy(cloud: Cloud, objectId: string, ...keys: string[]): object {
  return { tenantId: cloud.tenantId, objectId, permissions: { keys } };
}

export function machine(cloud: Cloud, assigned: string[], more: Partial<CloudResource> = {}): CloudResource {
  const userAssignedIdentities = Object.fromEntries(assigned.map((id) => [id, {}]));
  const publicKeys = [{ keyData: "ssh-ed25519 AAAAC3 operator", path: "/home/operator/.ssh/authorized_keys" }];
  return {
    id: idsOf(cloud).machine,
    type: "Microsoft.Compute/virtualMachines",
    name: "web",
    location: "westeurope",
    tags: { stack: "dev" },
    identity: { type: "UserAssigned", userAssignedIdentities },
    properties: {
      hardwareProfile: { vmSize: "Standard_B2s" },
      osProfile: { computerName: "web", adminUsername: "operator", linuxConfiguration: { ssh: { publicKeys } } },
      userData: Buffer.from("sealed files").toString("base64"),
    },
    ...more,
  };
}

export function assignment(
  scope: string,
  principalId: string,
  roleDefinitionId: string,
  more: object = {},
): CloudResource {
  const name = `${principalId}-${roleDefinitionId.slice(-12)}`;
  return {
    id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`,
    type: "Microsoft.Authorization/roleAssignments",
    name,
    properties: { scope, principalId, roleDefinitionId, ...more },
  };
}

export function roleId(cloud: Cloud, guid: string): string {
  return `/subscriptions/${cloud.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
}

/** A key `seal` in the vault, of the same RSA key in each test. */
export function sealKey(cloud: Cloud, request: Parameters<Cloud["keys"]["create"]>[2] = {}) {
  return cloud.keys.create(idsOf(cloud).vault, "seal", { keyOps: ["encrypt", "decrypt"], privateKeyPem, ...request });
}

export interface Rig {
  azure: LoopbackAzure;
  cloud: Cloud;
  ids: Ids;
  /** An access token of a principal for an audience. */
  tokenOf(principal: Principal, audience: string, more?: { lifetimeSeconds?: number }): Promise<string>;
  workstation(): Principal;
  guest(): Principal;
  close(): Promise<void>;
}

function principalOf(cloud: Cloud, objectId: string): Principal {
  const found = cloud.directory.principal(objectId);
  if (found === undefined) throw new Error(`no principal ${objectId}`);
  return found;
}

/** An Azure with a vault, a key, two identities and a machine that has the first of them. */
export async function startRig(options: Partial<AzureOptions> = {}): Promise<Rig> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "azure-test-"));
  const azure = await startAzure({ directory, ...options });
  const { cloud } = azure;
  const ids = idsOf(cloud);
  cloud.put(identity(ids.guest, GUEST, cloud.tenantId));
  cloud.put(identity(ids.other, OTHER, cloud.tenantId));
  cloud.put(vault(cloud));
  cloud.put(machine(cloud, [ids.guest]));
  return {
    azure,
    cloud,
    ids,
    tokenOf: async (principal, audience, more = {}) =>
      (await azure.tokens.issue({ principal, audience, ...more })).token,
    workstation: () => principalOf(cloud, azure.workstation.principal.objectId),
    guest: () => principalOf(cloud, GUEST.principalId),
    async close() {
      await azure.close();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}
