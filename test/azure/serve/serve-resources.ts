import * as fs from "node:fs";
import type { CloudResource } from "../cloud";
import { stableGuid } from "../machine/machine-facts";
import { BUILT_IN_ROLES } from "../resource-manager/role-definitions";
import type { AccountConfig, IdentityConfig, MachineConfig, ServeConfig, VaultConfig } from "./serve-config";

/** What the configuration's resources are made in: the cloud's own ids. */
export interface Surroundings {
  tenantId: string;
  subscriptionId: string;
  /** Object id of the workstation's principal. */
  workstation: string;
}

const AUTHORIZATION = "providers/Microsoft.Authorization";
/** RBAC's names for what access policies call get, list, wrapKey and unwrapKey; the rest is `<name>/action`. */
const DATA_ACTIONS: Readonly<Record<string, string>> = {
  get: "read",
  list: "read",
  wrapKey: "wrap/action",
  unwrapKey: "unwrap/action",
};

/** The ids and resources of one configuration. */
export interface ConfiguredResources {
  resources: CloudResource[];
  vaultId(name: string): string;
  machineId(name: string): string;
}

interface Maker {
  config: ServeConfig;
  around: Surroundings;
  /** Resource group. */
  group: string;
  objectIdOf(who: string): string;
}

function identityResource(maker: Maker, identity: IdentityConfig): CloudResource {
  const id = `${maker.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identity.name}`;
  return {
    id,
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    name: identity.name,
    location: maker.config.location,
    properties: {
      principalId: maker.objectIdOf(identity.name),
      clientId: identity.clientId ?? stableGuid(`client ${id}`),
      tenantId: maker.around.tenantId,
    },
  };
}

function roleAssignment(maker: Maker, scope: string, who: string, roleDefinitionId: string): CloudResource {
  const name = stableGuid(`assignment ${scope} ${who} ${roleDefinitionId}`);
  return {
    id: `${scope}/${AUTHORIZATION}/roleAssignments/${name}`,
    type: "Microsoft.Authorization/roleAssignments",
    name,
    properties: { scope, roleDefinitionId, principalId: maker.objectIdOf(who), principalType: "ServicePrincipal" },
  };
}

/** Rights by role: one custom role a principal, with exactly the rights that are named. */
function vaultRoles(maker: Maker, vaultId: string, vault: VaultConfig): CloudResource[] {
  return vault.access.flatMap(({ who, rights }) => {
    const name = stableGuid(`role ${vaultId} ${who}`);
    const id = `/subscriptions/${maker.around.subscriptionId}/${AUTHORIZATION}/roleDefinitions/${name}`;
    const dataActions = rights.map(
      (right) => `Microsoft.KeyVault/vaults/keys/${DATA_ACTIONS[right] ?? `${right}/action`}`,
    );
    const definition = {
      id,
      type: "Microsoft.Authorization/roleDefinitions",
      name,
      properties: {
        roleName: `${vault.name} ${who}`,
        permissions: [{ actions: [], dataActions }],
        assignableScopes: [vaultId],
      },
    };
    return [definition, roleAssignment(maker, vaultId, who, id)];
  });
}

function vaultResources(maker: Maker, vault: VaultConfig): CloudResource[] {
  const { tenantId } = maker.around;
  const isRbac = vault.authorization === "rbac";
  const policies = vault.access.map(({ who, rights }) => ({
    tenantId,
    objectId: maker.objectIdOf(who),
    permissions: { keys: rights },
  }));
  const id = `${maker.group}/providers/Microsoft.KeyVault/vaults/${vault.name}`;
  const properties = {
    tenantId,
    vaultUri: `https://${vault.name.toLowerCase()}.vault.azure.net/`,
    enableRbacAuthorization: isRbac,
    accessPolicies: isRbac ? [] : policies,
  };
  const resource = {
    id,
    type: "Microsoft.KeyVault/vaults",
    name: vault.name,
    location: maker.config.location,
    properties,
  };
  return [resource, ...(isRbac ? vaultRoles(maker, id, vault) : [])];
}

function builtInRoleId(maker: Maker, account: AccountConfig, roleName: string): string {
  const role = BUILT_IN_ROLES.find((known) => known.roleName === roleName);
  if (role === undefined)
    throw new Error(`storageAccounts.${account.name}.access names the role "${roleName}", which is not built in`);
  return `/subscriptions/${maker.around.subscriptionId}/${AUTHORIZATION}/roleDefinitions/${role.guid}`;
}

function accountResources(maker: Maker, account: AccountConfig): CloudResource[] {
  const id = `${maker.group}/providers/Microsoft.Storage/storageAccounts/${account.name}`;
  const properties = { allowSharedKeyAccess: false, allowBlobPublicAccess: false, supportsHttpsTrafficOnly: true };
  const containers = account.containers.map((name) => ({
    id: `${id}/blobServices/default/containers/${name}`,
    type: "Microsoft.Storage/storageAccounts/blobServices/containers",
    name,
    properties: { publicAccess: "None" },
  }));
  const roles = account.access.map(({ who, role }) =>
    roleAssignment(maker, id, who, builtInRoleId(maker, account, role)),
  );
  const resource = {
    id,
    type: "Microsoft.Storage/storageAccounts",
    name: account.name,
    location: maker.config.location,
    properties,
  };
  return [resource, ...containers, ...roles];
}

function machineResource(maker: Maker, machine: MachineConfig): CloudResource {
  const { adminUser, sshPublicKeys, vmSize, userData } = machine;
  const path = `/home/${adminUser}/.ssh/authorized_keys`;
  const ssh = { publicKeys: sshPublicKeys.map((keyData) => ({ keyData, path })) };
  const ids = machine.identities.map(
    (name) => `${maker.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
  );
  return {
    id: `${maker.group}/providers/Microsoft.Compute/virtualMachines/${machine.name}`,
    type: "Microsoft.Compute/virtualMachines",
    name: machine.name,
    location: maker.config.location,
    identity: { type: "UserAssigned", userAssignedIdentities: Object.fromEntries(ids.map((id) => [id, {}])) },
    properties: {
      hardwareProfile: { vmSize },
      osProfile: { computerName: machine.name, adminUsername: adminUser, linuxConfiguration: { ssh } },
      ...(userData !== undefined && { userData: fs.readFileSync(userData).toString("base64") }),
    },
  };
}

function createMaker(config: ServeConfig, around: Surroundings): Maker {
  const group = `/subscriptions/${around.subscriptionId}/resourceGroups/${config.resourceGroup}`;
  return {
    config,
    around,
    group,
    objectIdOf(who) {
      if (who === "workstation") return around.workstation;
      const declared = config.identities.find(({ name }) => name === who)?.objectId;
      return declared ?? stableGuid(`object ${group} ${who}`);
    },
  };
}

/** The resources that a configuration describes. Ids that it leaves open are always the same for the same names. */
export function configuredResources(config: ServeConfig, around: Surroundings): ConfiguredResources {
  const maker = createMaker(config, around);
  const { group } = maker;
  const resourceGroup = {
    id: group,
    type: "Microsoft.Resources/resourceGroups",
    name: config.resourceGroup,
    location: config.location,
    properties: {},
  };
  return {
    resources: [
      resourceGroup,
      ...config.identities.map((identity) => identityResource(maker, identity)),
      ...config.vaults.flatMap((vault) => vaultResources(maker, vault)),
      ...config.storageAccounts.flatMap((account) => accountResources(maker, account)),
      ...config.machines.map((machine) => machineResource(maker, machine)),
      ...config.resources,
    ],
    vaultId: (name) => `${group}/providers/Microsoft.KeyVault/vaults/${name}`,
    machineId: (name) => `${group}/providers/Microsoft.Compute/virtualMachines/${name}`,
  };
}
