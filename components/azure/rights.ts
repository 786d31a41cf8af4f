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
 * What `pulumi up` and `destroy` do, and nothing more: no part reads a secret or a key of a vault. What is done with keys and
 * blobs themselves is granted by the program, for exactly its own key and account.
 * Source: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
 */
export const PARTS: readonly Part[] = [
  {
    name: "resource group",
    when: "without `existing.resourceGroup`",
    actions: all("Microsoft.Resources/subscriptions/resourceGroups"),
  },
  {
    name: "what exists",
    when: "`existing` or `grants`",
    actions: [
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.KeyVault/vaults/read",
      "Microsoft.KeyVault/vaults/keys/read",
      "Microsoft.ManagedIdentity/userAssignedIdentities/read",
      "Microsoft.Storage/storageAccounts/read",
      "Microsoft.Compute/galleries/read",
      "Microsoft.Network/virtualNetworks/read",
      "Microsoft.Network/virtualNetworks/subnets/read",
      "Microsoft.Authorization/roleAssignments/read",
      "Microsoft.Authorization/roleDefinitions/read",
    ],
  },
  {
    name: "vault",
    when: "without `existing.vault`",
    actions: [
      ...all("Microsoft.KeyVault/vaults"),
      "Microsoft.KeyVault/vaults/accessPolicies/write",
      "Microsoft.KeyVault/locations/deletedVaults/read",
      "Microsoft.KeyVault/locations/operationResults/read",
    ],
  },
  {
    name: "key",
    when: "without `existing.key`",
    actions: ["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/write"],
  },
  {
    name: "identity",
    when: "without `existing.identity`",
    actions: all("Microsoft.ManagedIdentity/userAssignedIdentities"),
  },
  {
    name: "storage account",
    when: "without `existing.storageAccount`",
    actions: all("Microsoft.Storage/storageAccounts"),
  },
  {
    name: "containers",
    when: "always",
    actions: all("Microsoft.Storage/storageAccounts/blobServices/containers"),
  },
  { name: "grants", when: "without `grants`", actions: all("Microsoft.Authorization/roleAssignments") },
  {
    name: "roles",
    when: "`authorization: rbac` without `grants`, or `vaultAuth`",
    actions: all("Microsoft.Authorization/roleDefinitions"),
  },
  { name: "managed image", when: "`image.publish: managed`", actions: all("Microsoft.Compute/images") },
  {
    // Azure asks for the right to list the account's keys where a version is made of a blob; the account takes no such key.
    name: "gallery",
    when: "`image.publish: gallery`",
    actions: [
      ...all("Microsoft.Compute/galleries"),
      ...all("Microsoft.Compute/galleries/images"),
      ...all("Microsoft.Compute/galleries/images/versions"),
      "Microsoft.Storage/storageAccounts/listKeys/action",
    ],
  },
  {
    name: "network",
    when: "without `existing.subnet`",
    actions: [...all("Microsoft.Network/virtualNetworks"), ...all("Microsoft.Network/virtualNetworks/subnets")],
  },
  {
    name: "address",
    when: "`outbound` other than `subnet`",
    actions: all("Microsoft.Network/publicIPAddresses", "join/action"),
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
    name: "encryption set",
    when: "`osDisk.encryptionSet`",
    actions: ["Microsoft.Compute/diskEncryptionSets/read"],
  },
  {
    name: "VM",
    when: "always",
    actions: [
      ...all("Microsoft.Compute/virtualMachines"),
      ...all("Microsoft.Compute/disks"),
      ...all("Microsoft.Network/networkInterfaces", "join/action"),
      ...all("Microsoft.Network/networkSecurityGroups", "join/action"),
      "Microsoft.Network/virtualNetworks/subnets/join/action",
      "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
      "Microsoft.Compute/locations/operations/read",
    ],
  },
];

/** The parts that a stack's configuration asks for. @param own a dial's value, as it is written */
export function partsFor(own: (key: string) => unknown): readonly Part[] {
  const object = (key: string) => (own(key) ?? {}) as Readonly<Record<string, unknown>>;
  const isSet = (key: string) => Object.keys(object(key)).length > 0;
  const [existing, network, { publish }] = [object("existing"), object("network"), object("image")];
  const isPrivate = `${network.privateEndpoints}` === "true";
  const isGranted = isSet("grants");
  const wanted: Readonly<Record<string, boolean>> = {
    "resource group": existing.resourceGroup === undefined,
    "what exists": isSet("existing") || isGranted,
    vault: existing.vault === undefined,
    key: existing.key === undefined,
    identity: existing.identity === undefined,
    "storage account": existing.storageAccount === undefined,
    grants: !isGranted,
    roles: (own("authorization") === "rbac" && !isGranted) || isSet("vaultAuth"),
    "managed image": publish !== "gallery",
    gallery: publish === "gallery",
    network: existing.subnet === undefined,
    address: own("outbound") !== "subnet",
    "NAT gateway": own("outbound") === "natGateway",
    firewall: isSet("network") && network.allow !== "everybody" && !isPrivate,
    "private endpoints": isPrivate,
    logs: existing.workspace !== undefined,
    "encryption set": object("osDisk").encryptionSet !== undefined,
  };
  return PARTS.filter(({ name }) => wanted[name] ?? true);
}

/** A custom role with the rights of these parts, as `az role definition create --role-definition` takes it. */
export function customRole(subscriptionId: string, parts: readonly Part[] = PARTS): object {
  return {
    Name: "Sealed Onion Deployer",
    IsCustom: true,
    Description: "What pulumi up of sealed-onion does, and nothing more",
    Actions: [...new Set(parts.flatMap(({ actions }) => actions))],
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
  return [...new Set(parts.flatMap(({ actions }) => actions))].filter((action) => !isGiven(action));
}

/** Whether one of a role's patterns matches an action, without case: `*` stands for any characters, `/` included. */
export function covers(patterns: readonly string[], action: string): boolean {
  return patterns.some((pattern) => {
    const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${expression}$`, "i").test(action);
  });
}
