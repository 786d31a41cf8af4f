import type { CloudResource } from "../../cloud";
import { refuse, valuesAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { isMap } from "../values";
import { checkVaultNetwork } from "./network-rules";
import { groupName } from "./resources";

export const VAULT = "Microsoft.KeyVault/vaults";

/** Source: https://learn.microsoft.com/rest/api/keyvault/vaults/create-or-update (AccessPolicyEntry, Permissions). */
export const keyPermissions = [
  ..."all encrypt decrypt wrapKey unwrapKey sign verify get list create update import delete backup restore".split(" "),
  ..."recover purge release rotate getrotationpolicy setrotationpolicy".split(" "),
] as const;

const TAKEN =
  "is already in use. Vault names are globaly unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name.";

/** Names are global, and a soft-deleted vault keeps its own. */
function checkName({ cloud, wanted, id }: Situation): void {
  const live = cloud.vault(wanted.name);
  if (live !== undefined && live.id.toLowerCase() !== id.toLowerCase())
    refuse(409, "VaultAlreadyExists", `The vault name '${wanted.name}' ${TAKEN}`);
  const deleted = cloud
    .deletedVaults()
    .some(({ resource }) => resource.name.toLowerCase() === wanted.name.toLowerCase());
  if (deleted && live === undefined && wanted.properties.createMode !== "recover")
    refuse(
      409,
      "ConflictError",
      `A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.`,
    );
}

/** Soft delete and purge protection only ever go one way. */
function checkSoftDelete({ wanted, existing }: Situation): void {
  const { enablePurgeProtection, enableSoftDelete, softDeleteRetentionInDays: days } = wanted.properties;
  if (enablePurgeProtection === false)
    refuse(
      400,
      "BadRequest",
      'The property \\"enablePurgeProtection\\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
    );
  if (existing?.properties.enablePurgeProtection === true && enablePurgeProtection === undefined)
    wanted.properties.enablePurgeProtection = true;
  if (enableSoftDelete === false)
    refuse(
      400,
      "BadRequest",
      'The property \\"enableSoftDelete\\" cannot be set to false for creating new vaults or updating existing ones.',
    );
  if (typeof days === "number" && (days < 7 || days > 90))
    refuse(400, "BadRequest", `The property \\"softDeleteRetentionInDays\\" has to be between 7 and 90, got ${days}.`);
  const was = existing?.properties.softDeleteRetentionInDays;
  if (was !== undefined && days !== undefined && was !== days)
    refuse(
      400,
      "BadRequest",
      'The property \\"softDeleteRetentionInDays\\" has been set already and it can\'t be modified.',
    );
}

/** What Azure has against the entries of a vault's access policies. */
export function checkPolicies(policies: unknown, tenantId: string): void {
  const entries = Array.isArray(policies) ? policies.filter(isMap) : [];
  if (entries.length > 1024)
    refuse(400, "BadRequest", `A vault has at most 1024 access policies, got ${entries.length}.`);
  const foreign = entries.find((entry) => entry.tenantId !== tenantId);
  if (foreign)
    refuse(400, "BadRequest", `Access policies must use the vault's tenant ${tenantId}, got ${foreign.tenantId}.`);
  const seen = new Set<string>();
  for (const entry of entries) {
    const holder = `${entry.objectId}/${entry.applicationId ?? ""}`;
    if (seen.has(holder)) refuse(400, "BadRequest", `Two access policies for object id ${entry.objectId}.`);
    seen.add(holder);
    for (const { value } of valuesAt(entry, "permissions.keys[]"))
      if (!keyPermissions.some((known) => known.toLowerCase() === String(value).toLowerCase()))
        refuse(400, "BadRequest", `Invalid value found at accessPolicies[].permissions.keys[]: ${value}`);
  }
}

/** What a vault's answer has besides the request. */
function answered({ cloud, wanted, existing }: Situation): CloudResource {
  const policies = wanted.properties.accessPolicies ?? existing?.properties.accessPolicies ?? [];
  const properties = {
    enableSoftDelete: true,
    softDeleteRetentionInDays: 90,
    ...wanted.properties,
    accessPolicies: policies,
    vaultUri: `https://${wanted.name.toLowerCase()}.${cloud.names.vault}/`,
    provisioningState: "Succeeded",
  };
  return { ...wanted, properties };
}

/** Source: https://learn.microsoft.com/rest/api/keyvault/vaults/create-or-update, soft delete: /azure/key-vault/general/soft-delete-overview. */
export const vault: ResourceKind = {
  token: "azure-native:keyvault:Vault",
  type: VAULT,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}",
  apiVersion: "2024-11-01",
  models: "keyvault",
  request: "VaultCreateOrUpdateParameters",
  response: "Vault",
  names: [
    groupName,
    {
      input: "vaultName",
      pattern: /^(?=.{3,24}$)[a-zA-Z](?!.*--)[a-zA-Z0-9-]*[a-zA-Z0-9]$/,
      rule: "3-24 letters, digits and hyphens, a letter first, no hyphen last, no two hyphens together",
      automatic: "random",
    },
  ],
  hasLocation: true,
  required: ["properties", "properties.sku"],
  allowed: {
    "properties.sku.family": ["A"],
    "properties.createMode": ["default", "recover"],
    "properties.publicNetworkAccess": ["enabled", "disabled"],
    "properties.networkAcls.bypass": ["AzureServices", "None"],
    "properties.networkAcls.defaultAction": ["Allow", "Deny"],
  },
  ownedElsewhere: ["properties.accessPolicies"],
  validate(situation) {
    const { wanted, cloud } = situation;
    checkName(situation);
    checkSoftDelete(situation);
    checkVaultNetwork(situation);
    if (wanted.properties.tenantId !== cloud.tenantId)
      refuse(
        400,
        "BadRequest",
        `Tenant ${wanted.properties.tenantId} is not the tenant of the subscription, ${cloud.tenantId}.`,
      );
    checkPolicies(wanted.properties.accessPolicies, cloud.tenantId);
  },
  complete(situation) {
    const { cloud, wanted } = situation;
    if (wanted.properties.createMode === "recover") cloud.recoverVault(wanted.name);
    return answered(situation);
  },
};
