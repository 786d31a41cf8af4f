import type { LoopbackAzure } from "loopback-azure/azure";

const GROUP = "vault";
const IDENTITY = {
  principalId: "00000000-0000-4000-8000-0000000000a1",
  clientId: "00000000-0000-4000-8000-0000000000a2",
};
const READER = "00000000-0000-4000-8000-0000000000a3";

/**
 * Adds the machine that Vault runs on: with an identity of its own, and with the role that VaultAzureAuth gives it.
 * @returns its resource id
 */
export function addVaultNode({ cloud }: LoopbackAzure): string {
  const subscription = `/subscriptions/${cloud.subscriptionId}`;
  const scope = `${subscription}/resourceGroups/${GROUP}`;
  const location = "westeurope";
  const identityId = `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/vault`;
  const roleId = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${READER}`;
  const actions = ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachineScaleSets/*/read"];
  cloud.put({ id: scope, type: "Microsoft.Resources/resourceGroups", name: GROUP, location, properties: {} });
  cloud.put({
    id: identityId,
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    name: "vault",
    location,
    properties: { ...IDENTITY, tenantId: cloud.tenantId },
  });
  cloud.put({
    id: roleId,
    type: "Microsoft.Authorization/roleDefinitions",
    name: READER,
    properties: {
      roleName: "Virtual Machine Reader",
      type: "CustomRole",
      assignableScopes: [subscription],
      permissions: [{ actions }],
    },
  });
  cloud.put({
    id: `${subscription}/providers/Microsoft.Authorization/roleAssignments/${IDENTITY.principalId}`,
    type: "Microsoft.Authorization/roleAssignments",
    name: IDENTITY.principalId,
    properties: { scope: subscription, principalId: IDENTITY.principalId, roleDefinitionId: roleId },
  });
  const vmId = `${scope}/providers/Microsoft.Compute/virtualMachines/vault`;
  cloud.put({
    id: vmId,
    type: "Microsoft.Compute/virtualMachines",
    name: "vault",
    location,
    identity: { type: "UserAssigned", userAssignedIdentities: { [identityId]: IDENTITY } },
    properties: { hardwareProfile: { vmSize: "Standard_B2s" }, osProfile: { computerName: "vault" } },
  });
  return vmId;
}

/** A token that another tenant's Entra gave to somebody there. */
export async function foreignToken(azure: LoopbackAzure, audience: string): Promise<string> {
  const tenantId = "00000000-0000-4000-8000-0000000000b1";
  const principal = azure.cloud.directory.addApplication({ displayName: "foreign", tenantId });
  return (await azure.tokens.issue({ principal, audience })).token;
}
