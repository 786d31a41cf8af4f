import { isRegion, refuse } from "../arm";
import type { NameRule, ResourceKind } from "../resource-kind";

/** The group in a resource's path. */
export const groupName: NameRule = {
  input: "resourceGroupName",
  pattern: /^[-\w.()]{0,89}[-\w()]$/,
  rule: "1-90 letters, digits, underscores, hyphens, periods and parentheses, no period at the end",
};

/**
 * Microsoft's models of groups are in a package of their own; a group's request is a location and tags, which the model of
 * a managed identity has too.
 */
export const resourceGroup: ResourceKind = {
  token: "azure-native:resources:ResourceGroup",
  type: "Microsoft.Resources/resourceGroups",
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
  apiVersion: "2024-03-01",
  models: "msi",
  request: "TrackedResource",
  response: "TrackedResource",
  names: [{ ...groupName, automatic: "random" }],
  hasLocation: true,
  required: ["location"],
  replaceOn: ["location"],
  validate({ wanted }) {
    if (!isRegion(wanted.location ?? ""))
      refuse(
        400,
        "LocationNotAvailableForResourceGroup",
        `The provided location '${wanted.location}' is not available for resource group.`,
      );
  },
  complete: ({ wanted }) => ({ ...wanted, properties: { provisioningState: "Succeeded" } }),
};
