import { refuse, textAt, valuesAt } from "../arm";
import type { Mapper, Members } from "../models";
import type { ResourceKind } from "../resource-kind";
import { groupName } from "./resources";

const WORKSPACE = "Microsoft.OperationalInsights/workspaces";
const text = (serializedName?: string): Mapper => ({
  ...(serializedName && { serializedName }),
  type: { name: "String" },
});

/** Source: https://learn.microsoft.com/rest/api/loganalytics/workspaces/create-or-update */
export const workspace: ResourceKind = {
  token: "azure-native:operationalinsights:Workspace",
  type: WORKSPACE,
  path: `/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/${WORKSPACE}/{workspaceName}`,
  apiVersion: "2023-09-01",
  models: "network",
  request: { location: text() },
  response: { id: text(), name: text(), location: text(), type: text() },
  names: [
    groupName,
    {
      input: "workspaceName",
      pattern: /^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/,
      rule: "4-63 letters, digits and hyphens",
    },
  ],
  hasLocation: true,
};

/** What can be logged of a resource, by its type. Source: https://learn.microsoft.com/azure/azure-monitor/reference/logs-index */
const CATEGORIES: readonly (readonly [id: RegExp, categories: readonly string[]])[] = [
  [/\/providers\/Microsoft\.KeyVault\/vaults\/[^/]+$/i, ["AuditEvent", "AzurePolicyEvaluationDetails"]],
  [/\/storageAccounts\/[^/]+\/blobServices\/default$/i, ["StorageRead", "StorageWrite", "StorageDelete"]],
];

const setting: Members = {
  logs: { serializedName: "properties.logs", type: { name: "Sequence", element: { type: { name: "any" } } } },
  workspaceId: text("properties.workspaceId"),
};

/** Source: https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/create-or-update */
export const diagnosticSetting: ResourceKind = {
  token: "azure-native:monitor:DiagnosticSetting",
  type: "Microsoft.Insights/diagnosticSettings",
  path: "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
  apiVersion: "2021-05-01-preview",
  models: "network",
  request: setting,
  response: { ...setting, name: text(), type: text() },
  names: [
    { input: "resourceUri", pattern: /^\/subscriptions\//, rule: "the id of a resource" },
    { input: "name", pattern: /^[^\s/]{1,260}$/, rule: "1-260 characters", automatic: "random" },
  ],
  hasLocation: false,
  references: [{ path: "workspaceId", types: [WORKSPACE], sameRegion: false, code: "ResourceNotFound" }],
  validate({ cloud, wanted, id }) {
    const resource = id.split("/providers/Microsoft.Insights/")[0] ?? "";
    const owner = resource.replace(/\/blobServices\/default$/i, "");
    if (cloud.get(owner) === undefined) refuse(404, "ResourceNotFound", `The resource '${resource}' was not found.`);
    const [, known = []] = CATEGORIES.find(([form]) => form.test(resource)) ?? [];
    const strange = valuesAt(wanted.properties, "logs[].category").find(({ value }) => !known.includes(`${value}`));
    if (strange !== undefined) refuse(400, "BadRequest", `Category '${strange.value}' is not supported.`);
    if (textAt(wanted.properties, "workspaceId") === undefined)
      refuse(400, "BadRequest", "At least one data sink needs to be specified.");
  },
};
