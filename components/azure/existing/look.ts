import { getGallery } from "@pulumi/azure-native/compute/getGallery";
import { getKey } from "@pulumi/azure-native/keyvault/getKey";
import { getVault } from "@pulumi/azure-native/keyvault/getVault";
import { getUserAssignedIdentity } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity";
import { getSubnet } from "@pulumi/azure-native/network/getSubnet";
import { getVirtualNetwork } from "@pulumi/azure-native/network/getVirtualNetwork";
import { getWorkspace } from "@pulumi/azure-native/operationalinsights/getWorkspace";
import { getPrivateZone } from "@pulumi/azure-native/privatedns/getPrivateZone";
import { getResourceGroup } from "@pulumi/azure-native/resources/getResourceGroup";
import { getStorageAccount } from "@pulumi/azure-native/storage/getStorageAccount";
import type * as pulumi from "@pulumi/pulumi";
import { type Existing, type ExistingKind, partsOfId } from "./existing";

/** What there is to know of existing resources before anything is made. */
export interface Looked {
  readonly keyUrl?: string;
  readonly identity?: { readonly clientId: string; readonly principalId: string };
}

/** What existing resources have to fit. */
export interface Wanted {
  readonly location: string;
  readonly authorization: "accessPolicy" | "rbac";
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Whether firewalls are to know the machines by their subnet's endpoints for the services. */
  readonly bySubnet: boolean;
}

/** What is wrong with one, as `<kind> <problem>: <remedy>` goes on after its name. */
type Problem = { readonly problem: string; readonly remedy?: string } | undefined;

/**
 * Reads every existing resource, as the provider that will use it.
 * @throws Error with a line for each that is not there, or is of no use
 */
export async function lookAt(existing: Existing, wanted: Wanted, parent: pulumi.Resource): Promise<Looked> {
  const looked: { -readonly [K in keyof Looked]: Looked[K] } = {};
  const looks: { readonly [K in ExistingKind]: (id: string) => Promise<Problem> } = {
    resourceGroup: async (resourceGroupName) => {
      await getResourceGroup({ resourceGroupName }, { parent });
      return undefined;
    },
    vault: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      const { properties } = await getVault({ resourceGroupName, vaultName: names[0] ?? "" }, { parent });
      return vaultProblem(properties, wanted);
    },
    key: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      const [vaultName = "", keyName = ""] = names;
      const key = await getKey({ resourceGroupName, vaultName, keyName }, { parent });
      looked.keyUrl = key.keyUriWithVersion;
      return keyProblem(key);
    },
    identity: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      const identity = await getUserAssignedIdentity({ resourceGroupName, resourceName: names[0] ?? "" }, { parent });
      looked.identity = { clientId: identity.clientId, principalId: identity.principalId };
      return undefined;
    },
    storageAccount: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      const account = await getStorageAccount({ resourceGroupName, accountName: names[0] ?? "" }, { parent });
      return accountProblem(account) ?? regionProblem(account.location, wanted);
    },
    gallery: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      await getGallery({ resourceGroupName, galleryName: names[0] ?? "" }, { parent });
      return undefined;
    },
    subnet: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      const [virtualNetworkName = "", subnetName = ""] = names;
      const network = await getVirtualNetwork({ resourceGroupName, virtualNetworkName }, { parent });
      const subnet = await getSubnet({ resourceGroupName, virtualNetworkName, subnetName }, { parent });
      return subnetProblem(subnet) ?? endpointProblem(subnet, wanted) ?? regionProblem(network.location ?? "", wanted);
    },
    vaultZone: lookAtZone,
    blobZone: lookAtZone,
    workspace: async (id) => {
      const { resourceGroupName, names } = partsOfId(id);
      await getWorkspace({ resourceGroupName, workspaceName: names[0] ?? "" }, { parent });
      return undefined;
    },
  };
  async function lookAtZone(id: string): Promise<Problem> {
    const { resourceGroupName, names } = partsOfId(id);
    await getPrivateZone({ resourceGroupName, privateZoneName: names[0] ?? "" }, { parent });
    return undefined;
  }
  const given = Object.entries(existing) as [ExistingKind, string][];
  const lines = await Promise.all(given.map(([kind, id]) => lineOf(kind, id, wanted, looks[kind])));
  const problems = lines.filter((line) => line !== undefined);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return looked;
}

/** What a company keeps in a subscription of its own, where this provider does not look: Azure says what is wrong. */
const ELSEWHERE: readonly ExistingKind[] = ["vaultZone", "blobZone"];

async function lineOf(kind: ExistingKind, id: string, wanted: Wanted, look: (id: string) => Promise<Problem>) {
  const path = `sealed-onion:existing.${kind}`;
  const name = id.split("/").at(-1);
  const { subscriptionId } = partsOfId(id);
  if (kind !== "resourceGroup" && subscriptionId.toLowerCase() !== wanted.subscriptionId.toLowerCase()) {
    if (ELSEWHERE.includes(kind)) return undefined;
    const both = `is of subscription ${subscriptionId}, the stack of ${wanted.subscriptionId}`;
    return `existing.${kind} ${name} ${both}: set ${path} to one of the stack's, or azure-native:subscriptionId`;
  }
  const found = await look(id).catch((error: unknown) => notRead(error));
  if (found === undefined) return undefined;
  return `existing.${kind} ${name} ${found.problem}: ${found.remedy ?? `set ${path}`}`;
}

/** Azure's own answer, where it is one; else the first line of what went wrong. */
function notRead(error: unknown): Problem {
  const text = error instanceof Error ? error.message : `${error}`;
  if (/Status=404|\bNotFound|could not be found|was not found/i.test(text)) return { problem: "does not exist" };
  const denied = /AuthorizationFailed|Status=403/.test(text);
  if (denied) return { problem: "may not be read by this login", remedy: "have the role Reader assigned on it" };
  return { problem: `cannot be read (${text.trim().split("\n")[0]})` };
}

function vaultProblem(properties: { enableRbacAuthorization?: boolean; tenantId: string }, wanted: Wanted): Problem {
  if (properties.tenantId.toLowerCase() !== wanted.tenantId.toLowerCase()) {
    return { problem: `is of tenant ${properties.tenantId}, this login of ${wanted.tenantId}` };
  }
  const has = properties.enableRbacAuthorization ? "rbac" : "accessPolicy";
  if (has === wanted.authorization) return undefined;
  const problem = `has authorization ${has}, the stack ${wanted.authorization}`;
  return { problem, remedy: `set sealed-onion:authorization to ${has}` };
}

function keyProblem(key: { kty?: string; keyOps?: string[]; attributes?: { enabled?: boolean } }): Problem {
  if (!/^RSA/.test(key.kty ?? "")) return { problem: `is of type ${key.kty}, sops seals with RSA keys alone` };
  if (key.attributes?.enabled === false) return { problem: "is disabled", remedy: "enable it, or set another one" };
  const missing = ["encrypt", "decrypt"].filter((operation) => key.keyOps?.includes(operation) === false);
  return missing.length === 0 ? undefined : { problem: `is not for ${missing.join(" and ")}` };
}

/** Images are page blobs, which only ordinary accounts without a hierarchical namespace take. */
function accountProblem({ isHnsEnabled, kind }: { isHnsEnabled?: boolean; kind: string }): Problem {
  if (!["StorageV2", "Storage"].includes(kind)) return { problem: `is of kind ${kind}, which takes no page blobs` };
  return isHnsEnabled ? { problem: "has a hierarchical namespace, which takes no page blobs" } : undefined;
}

function subnetProblem(subnet: {
  defaultOutboundAccess?: boolean;
  delegations?: readonly { serviceName?: string }[];
  natGateway?: object;
  routeTable?: object;
}): Problem {
  const [delegation] = subnet.delegations ?? [];
  if (delegation) return { problem: `is delegated to ${delegation.serviceName}, no VM can be in it` };
  const hasWay = subnet.natGateway ?? subnet.routeTable ?? subnet.defaultOutboundAccess !== false;
  if (hasWay) return undefined;
  const problem = "has no way to the internet (no NAT gateway, no route table, no default outbound access)";
  return { problem, remedy: "give it one, as tor has to dial out" };
}

function endpointProblem(subnet: { serviceEndpoints?: readonly { service?: string }[] }, wanted: Wanted): Problem {
  const has = (subnet.serviceEndpoints ?? []).map(({ service }) => service);
  const missing = ["Microsoft.KeyVault", "Microsoft.Storage"].filter((service) => !has.includes(service));
  if (!wanted.bySubnet || missing.length === 0) return undefined;
  const endpoint = missing.length === 1 ? "endpoint" : "endpoints";
  const problem = `has no service ${endpoint} for ${missing.join(" and ")}, by which their firewalls know it`;
  return { problem, remedy: "have them added, or set sealed-onion:network.privateEndpoints to true" };
}

function regionProblem(location: string, wanted: Wanted): Problem {
  const has = location.toLowerCase().replaceAll(" ", "");
  return has === wanted.location ? undefined : { problem: `is in ${has}, the stack in ${wanted.location}` };
}
