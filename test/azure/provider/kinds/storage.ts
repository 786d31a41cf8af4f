import type { Cloud } from "../../cloud";
import { parseId, refuse } from "../arm";
import type { NameRule, ResourceKind, Situation } from "../resource-kind";
import { checkAccountNetwork } from "./network-rules";
import { groupName } from "./resources";

export const ACCOUNT = "Microsoft.Storage/storageAccounts";

const ACCOUNT_NAME: NameRule = {
  input: "accountName",
  pattern: /^[a-z0-9]{3,24}$/,
  rule: "3-24 lower-case letters and digits",
};

function endpoints({ names }: Cloud, name: string): Record<string, string> {
  const services = ["blob", "dfs", "file", "queue", "table"];
  return Object.fromEntries(services.map((service) => [service, `https://${name}.${service}.${names.storage}/`]));
}

function validateAccount(situation: Situation): void {
  const { cloud, wanted, id } = situation;
  checkAccountNetwork(situation);
  const other = cloud.storageAccount(wanted.name);
  if (other !== undefined && other.id.toLowerCase() !== id.toLowerCase())
    refuse(409, "StorageAccountAlreadyTaken", `The storage account named ${wanted.name} is already taken.`);
}

/** Source: https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create */
export const storageAccount: ResourceKind = {
  token: "azure-native:storage:StorageAccount",
  type: ACCOUNT,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}",
  apiVersion: "2024-01-01",
  models: "storage",
  request: "StorageAccountCreateParameters",
  response: "StorageAccount",
  names: [groupName, { ...ACCOUNT_NAME, automatic: "random" }],
  hasLocation: true,
  required: ["sku", "sku.name", "kind"],
  allowed: {
    kind: ["Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"],
    minimumTlsVersion: ["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"],
    publicNetworkAccess: ["Enabled", "Disabled", "SecuredByPerimeter"],
    "sku.name": [
      ..."Standard_LRS Standard_GRS Standard_RAGRS Standard_ZRS Premium_LRS Premium_ZRS Standard_GZRS".split(" "),
      "Standard_RAGZRS",
    ],
  },
  replaceOn: ["isHnsEnabled", "location"],
  immutable: [{ path: "kind", code: "StorageAccountOperationNotAllowed" }],
  validate: validateAccount,
  complete({ cloud, wanted }) {
    const defaults = { allowBlobPublicAccess: false, minimumTlsVersion: "TLS1_2", supportsHttpsTrafficOnly: true };
    const { name, location = "" } = wanted;
    const answer = {
      primaryEndpoints: endpoints(cloud, name),
      primaryLocation: location,
      provisioningState: "Succeeded",
    };
    return { ...wanted, properties: { ...defaults, ...wanted.properties, ...answer, statusOfPrimary: "available" } };
  },
};

/** Source: https://learn.microsoft.com/rest/api/storagerp/blob-containers/create */
export const blobContainer: ResourceKind = {
  token: "azure-native:storage:BlobContainer",
  type: `${ACCOUNT}/blobServices/containers`,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/blobServices/default/containers/{containerName}",
  apiVersion: "2024-01-01",
  models: "storage",
  request: "BlobContainer",
  response: "BlobContainer",
  names: [
    groupName,
    ACCOUNT_NAME,
    {
      input: "containerName",
      pattern: /^(?=.{3,63}$)[a-z0-9](?!.*--)[a-z0-9-]*[a-z0-9]$|^\$(root|web|logs)$/,
      rule: "3-63 lower-case letters, digits and hyphens, a letter or digit at both ends, no two hyphens together",
      automatic: "random",
    },
  ],
  hasLocation: false,
  validate({ cloud, wanted, id }) {
    const account = cloud.storageAccount(parseId(id)?.names.storageAccounts ?? "");
    const { publicAccess = "None" } = wanted.properties;
    if (publicAccess !== "None" && account?.properties.allowBlobPublicAccess !== true)
      refuse(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.");
  },
  complete({ wanted }) {
    const answer = {
      leaseState: "Available",
      leaseStatus: "Unlocked",
      hasImmutabilityPolicy: false,
      hasLegalHold: false,
    };
    return { ...wanted, properties: { publicAccess: "None", ...wanted.properties, ...answer } };
  },
};
