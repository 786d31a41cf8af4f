/** What one part of a deployment may have to do on Azure's control plane. */
export interface Part {
  readonly name: string;
  /** When it is needed. */
  readonly when: string;
  readonly actions: readonly string[];
}

const all = (type: string, ...more: string[]) =>
  ["read", "write", "delete", ...more].map((operation) => `${type}/${operation}`);

/**
 * What `pulumi up` and `destroy` do, and nothing more: no part reads a secret, a key or an account key. What is done with
 * keys and blobs themselves is granted by the program, for exactly its own key and account.
 * Source: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
 */
export const PARTS: readonly Part[] = [
  {
    name: "resource group",
    when: "without `existing.resourceGroup`",
    actions: all("Microsoft.Resources/subscriptions/resourceGroups"),
  },
  {
    name: "vault and key",
    when: "always",
    actions: [
      ...all("Microsoft.KeyVault/vaults"),
      "Microsoft.KeyVault/vaults/accessPolicies/write",
      "Microsoft.KeyVault/vaults/keys/read",
      "Microsoft.KeyVault/vaults/keys/write",
      "Microsoft.KeyVault/locations/deletedVaults/read",
      "Microsoft.KeyVault/locations/operationResults/read",
    ],
  },
  {
    name: "identity",
    when: "always",
    actions: all("Microsoft.ManagedIdentity/userAssignedIdentities", "assign/action"),
  },
  {
    name: "storage",
    when: "always",
    actions: [
      ...all("Microsoft.Storage/storageAccounts"),
      ...all("Microsoft.Storage/storageAccounts/blobServices/containers"),
      "Microsoft.Storage/storageAccounts/blobServices/read",
    ],
  },
  { name: "grants", when: "always", actions: all("Microsoft.Authorization/roleAssignments") },
  {
    name: "roles",
    when: "`authorization: rbac` or `vaultAuth`",
    actions: all("Microsoft.Authorization/roleDefinitions"),
  },
  { name: "managed image", when: "`image.publish: managed`", actions: all("Microsoft.Compute/images") },
  {
    name: "gallery",
    when: "`image.publish: gallery`",
    actions: [
      ...all("Microsoft.Compute/galleries"),
      ...all("Microsoft.Compute/galleries/images"),
      ...all("Microsoft.Compute/galleries/images/versions"),
    ],
  },
  {
    name: "network",
    when: "always",
    actions: [
      ...all("Microsoft.Network/virtualNetworks"),
      ...all("Microsoft.Network/virtualNetworks/subnets", "join/action"),
      ...all("Microsoft.Network/networkSecurityGroups", "join/action"),
      ...all("Microsoft.Network/networkInterfaces", "join/action"),
      ...all("Microsoft.Network/publicIPAddresses", "join/action"),
    ],
  },
  {
    name: "NAT gateway",
    when: "`outbound: natGateway`",
    actions: all("Microsoft.Network/natGateways", "join/action"),
  },
  {
    name: "firewall",
    when: "`network` without private endpoints",
    actions: ["Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"],
  },
  {
    name: "private endpoints",
    when: "`network.privateEndpoints`",
    actions: [
      ...all("Microsoft.Network/privateEndpoints"),
      ...all("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"),
      ...all("Microsoft.Network/privateDnsZones", "join/action"),
      ...all("Microsoft.Network/privateDnsZones/virtualNetworkLinks"),
      "Microsoft.Network/virtualNetworks/join/action",
      "Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action",
      "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
    ],
  },
  {
    name: "logs",
    when: "`existing.workspace`",
    actions: [
      ...all("Microsoft.Insights/diagnosticSettings"),
      "Microsoft.OperationalInsights/workspaces/read",
      "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ],
  },
  {
    name: "VM",
    when: "always",
    actions: [
      ...all("Microsoft.Compute/virtualMachines"),
      ...all("Microsoft.Compute/disks"),
      "Microsoft.Compute/locations/operations/read",
    ],
  },
];

/** A custom role with the rights of these parts, as `az role definition create --role-definition` takes it. */
export function customRole(subscriptionId: string, parts: readonly Part[] = PARTS): object {
  return {
    Name: "Sealed Onion Deployer",
    IsCustom: true,
    Description: "What pulumi up of sealed-onion does, and nothing more",
    Actions: parts.flatMap(({ actions }) => actions),
    NotActions: [],
    DataActions: [],
    NotDataActions: [],
    AssignableScopes: [`/subscriptions/${subscriptionId}`],
  };
}

/** A permission as Azure lists it: patterns, `*` stands for any characters. */
export interface Permission {
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
}

/** The actions that none of the permissions gives. */
export function missingActions(parts: readonly Part[], permissions: readonly Permission[]): string[] {
  const isGiven = (action: string) =>
    permissions.some(({ actions = [], notActions = [] }) => covers(actions, action) && !covers(notActions, action));
  return parts.flatMap(({ actions }) => actions).filter((action) => !isGiven(action));
}

function covers(patterns: readonly string[], action: string): boolean {
  return patterns.some((pattern) => {
    const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${expression}$`, "i").test(action);
  });
}
