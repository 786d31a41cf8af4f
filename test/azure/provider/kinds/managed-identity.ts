import { randomUUID } from "node:crypto";
import type { ResourceKind } from "../resource-kind";
import { groupName } from "./resources";

export const userAssignedIdentity: ResourceKind = {
  token: "azure-native:managedidentity:UserAssignedIdentity",
  type: "Microsoft.ManagedIdentity/userAssignedIdentities",
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}",
  apiVersion: "2024-11-30",
  models: "msi",
  request: "Identity",
  response: "Identity",
  names: [
    groupName,
    {
      input: "resourceName",
      pattern: /^[a-z0-9][-\w]{2,127}$/i,
      rule: "3-128 letters, digits, hyphens and underscores, a letter or digit first",
      automatic: "random",
    },
  ],
  hasLocation: true,
  replaceOn: ["location"],
  complete({ wanted, existing, cloud }) {
    const given = { principalId: randomUUID(), clientId: randomUUID(), tenantId: cloud.tenantId };
    const { principalId, clientId, tenantId } = { ...given, ...existing?.properties };
    return { ...wanted, properties: { ...wanted.properties, principalId, clientId, tenantId } };
  },
};
