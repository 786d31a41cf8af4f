import type { CloudResource } from "../cloud";
import { parseId, refuse } from "./arm";
import type { Operation } from "./provider-faults";
import { isMap } from "./values";

/** One operation, by the name that role definitions use, and what it is done to. */
export interface Right {
  readonly action: string;
  /** Id of a resource. */
  readonly scope: string;
  /** The operation for whose sake Azure asks for it; none for that operation itself. */
  readonly linkedTo?: Right;
}

/** Who does it, and what they may. */
export interface Caller {
  readonly clientId: string;
  readonly objectId: string;
  /** @default everything */
  readonly allows?: ((right: Right) => boolean) | undefined;
}

const JOIN = "join/action";
/** Azure reads a resource before it makes or changes it, and after: so does azure-native. */
const OPERATIONS: Readonly<Record<Operation, readonly string[]>> = {
  create: ["read", "write"],
  read: ["read"],
  update: ["read", "write"],
  delete: ["delete"],
};

/**
 * What a request has to be allowed besides, by the type of what it points to.
 * Sources: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations;
 * of a gallery's source: https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery (permissions to create an image);
 * of an encryption set: kubernetes-sigs/azuredisk-csi-driver issue 2609; of a workspace: JimGBritt/AzurePolicy issue 17
 */
const LINKED: Readonly<Record<string, string | ((from: string) => string | undefined)>> = {
  "Microsoft.Compute/diskEncryptionSets": "read",
  "Microsoft.Compute/disks": "write",
  "Microsoft.Compute/galleries/images/versions": "read",
  "Microsoft.Compute/images": "read",
  "Microsoft.KeyVault/vaults": (from) =>
    from === "Microsoft.Network/privateEndpoints" ? "PrivateEndpointConnectionsApproval/action" : undefined,
  "Microsoft.ManagedIdentity/userAssignedIdentities": "assign/action",
  "Microsoft.Network/natGateways": JOIN,
  "Microsoft.Network/networkInterfaces": JOIN,
  "Microsoft.Network/networkSecurityGroups": JOIN,
  "Microsoft.Network/privateDnsZones": JOIN,
  "Microsoft.Network/publicIPAddresses": JOIN,
  "Microsoft.Network/virtualNetworks": JOIN,
  "Microsoft.Network/virtualNetworks/subnets": (from) =>
    /^Microsoft\.(KeyVault|Storage)\//.test(from) ? "joinViaServiceEndpoint/action" : JOIN,
  "Microsoft.OperationalInsights/workspaces": "sharedKeys/action",
  "Microsoft.Storage/storageAccounts": (from) =>
    from === "Microsoft.Network/privateEndpoints"
      ? "PrivateEndpointConnectionsApproval/action"
      : from === "Microsoft.Compute/galleries/images/versions"
        ? "listKeys/action"
        : undefined,
};

/** What one operation on a resource has to be allowed. @param resource as it is wanted; in a deletion as it was */
export function neededRights(operation: Operation, resource: CloudResource): Right[] {
  const { id: scope } = resource;
  const type = resource.type.replace(
    /^Microsoft\.Resources\/(?=resourceGroups$)/,
    "Microsoft.Resources/subscriptions/",
  );
  // No resource of its own: a PUT on `accessPolicies/add`.
  if (type === "Microsoft.KeyVault/vaults/accessPolicy")
    return [{ action: "Microsoft.KeyVault/vaults/accessPolicies/write", scope }];
  // azure-native deletes a key by the vault's own endpoint, where the key's policies count.
  if (type === "Microsoft.KeyVault/vaults/keys" && operation === "delete") return [];
  const own = OPERATIONS[operation].map((word) => ({ action: `${type}/${word}`, scope }));
  // An OS disk is made and deleted with the machine.
  const disk = type === "Microsoft.Compute/virtualMachines" ? "Microsoft.Compute/disks" : undefined;
  const withMachine =
    disk === undefined ? [] : OPERATIONS[operation].map((word) => ({ action: `${disk}/${word}`, scope }));
  const linkedTo = own.at(-1);
  if (operation === "delete" || operation === "read" || linkedTo === undefined) return [...own, ...withMachine];
  const { properties, identity } = resource;
  return [...own, ...withMachine, ...idsIn([properties, identity]).flatMap((id) => linked(type, id, linkedTo))];
}

function linked(from: string, scope: string, linkedTo: Right): Right[] {
  const type = parseId(scope)?.type ?? "";
  const given = LINKED[type];
  const word = typeof given === "function" ? given(from) : given;
  return word === undefined ? [] : [{ action: `${type}/${word}`, scope, linkedTo }];
}

/** Ids of resources, wherever in a body, as values or as the names of members. */
function idsIn(value: unknown): string[] {
  if (typeof value === "string") return /^\/subscriptions\/[^/]+\/resourceGroups\//i.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(idsIn);
  return isMap(value) ? Object.entries(value).flatMap(([name, inner]) => [...idsIn(name), ...idsIn(inner)]) : [];
}

/**
 * 403 where the caller may not do it.
 * Sources of the sentences: MicrosoftDocs/azure-stack-docs pull request 3303; kubernetes-sigs/azuredisk-csi-driver issue 2609
 */
export function refuseUnlessAllowed(caller: Caller, operation: Operation, resource: CloudResource): void {
  const { allows = () => true } = caller;
  const refused = neededRights(operation, resource).find((right) => !allows(right));
  if (refused === undefined) return;
  const { action, linkedTo, scope } = refused;
  const client = `The client '${caller.clientId}' with object id '${caller.objectId}'`;
  if (linkedTo === undefined) {
    const how = `does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid`;
    refuse(
      403,
      "AuthorizationFailed",
      `${client} ${how}. If access was recently granted, please refresh your credentials.`,
    );
  }
  const does = `has permission to perform action '${linkedTo.action}' on scope '${linkedTo.scope}'`;
  const lacks = `it does not have permission to perform action(s) '${action}' on the linked scope(s) '${scope}' (respectively) or the linked scope(s) are invalid`;
  refuse(403, "LinkedAuthorizationFailed", `${client} ${does}; however, ${lacks}.`);
}
