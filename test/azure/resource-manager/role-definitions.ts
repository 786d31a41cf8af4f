/** What a role lets its holder do: patterns of operations, `*` stands for any part. */
export interface RolePermission {
  actions?: string[];
  notActions?: string[];
  dataActions?: string[];
  notDataActions?: string[];
}

export interface RoleDefinition {
  /** GUID: the last part of a definition's resource id. */
  guid: string;
  roleName: string;
  permissions: RolePermission[];
}

const KEYS = "Microsoft.KeyVault/vaults/keys";
const CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers";
const DELEGATE = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action";

function role(guid: string, roleName: string, permission: RolePermission): RoleDefinition {
  return { guid, roleName, permissions: [permission] };
}

/**
 * Azure's built-in roles that have to do with this project, with the operations that the loopback Azure knows.
 * Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
 */
export const BUILT_IN_ROLES: readonly RoleDefinition[] = [
  role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", { actions: ["*"] }),
  role("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", {
    actions: ["*"],
    notActions: [
      "Microsoft.Authorization/*/Delete",
      "Microsoft.Authorization/*/Write",
      "Microsoft.Authorization/elevateAccess/Action",
    ],
  }),
  role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", { actions: ["*/read"] }),
  role("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", {
    actions: ["*/read", "Microsoft.Authorization/*"],
  }),
  role("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor", {
    actions: ["Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachineScaleSets/*"],
  }),
  role("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator", {
    actions: ["Microsoft.ManagedIdentity/userAssignedIdentities/*/read"],
  }),
  role("00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator", {
    dataActions: ["Microsoft.KeyVault/vaults/*"],
  }),
  role("14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer", {
    dataActions: [`${KEYS}/*`, "Microsoft.KeyVault/vaults/keyrotationpolicies/*"],
  }),
  role("12338af0-0e69-4776-bea7-57ae8d297424", "Key Vault Crypto User", {
    dataActions: ["read", "update/action", "backup/action", "encrypt/action", "decrypt/action", "wrap/action"]
      .concat(["unwrap/action", "sign/action", "verify/action"])
      .map((operation) => `${KEYS}/${operation}`),
  }),
  role("e147488a-f6f5-4113-8e2d-b22465e65bf6", "Key Vault Crypto Service Encryption User", {
    dataActions: [`${KEYS}/read`, `${KEYS}/wrap/action`, `${KEYS}/unwrap/action`],
  }),
  role("21090545-7ca7-4776-b22c-e363652d74d2", "Key Vault Reader", {
    dataActions: ["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
  }),
  role("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner", {
    actions: [`${CONTAINERS}/*`, DELEGATE],
    dataActions: [`${CONTAINERS}/blobs/*`],
  }),
  role("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor", {
    actions: [`${CONTAINERS}/delete`, `${CONTAINERS}/read`, `${CONTAINERS}/write`, DELEGATE],
    dataActions: ["delete", "read", "write", "move/action", "add/action"].map((one) => `${CONTAINERS}/blobs/${one}`),
  }),
  role("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader", {
    actions: [`${CONTAINERS}/read`, DELEGATE],
    dataActions: [`${CONTAINERS}/blobs/read`],
  }),
  role("db58b8e5-c6ad-4a2a-8342-4190687cbf4a", "Storage Blob Delegator", { actions: [DELEGATE] }),
];

export function builtInRole(guid: string): RoleDefinition | undefined {
  return BUILT_IN_ROLES.find((definition) => definition.guid === guid.toLowerCase());
}
