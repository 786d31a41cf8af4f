import type * as pulumi from "@pulumi/pulumi";

/**
 * What a `DiagnosticSetting` is made of that brings a resource's own log to a Log Analytics workspace.
 * @param categories as https://learn.microsoft.com/azure/azure-monitor/reference/logs-index has them
 */
export function diagnosticArgs(
  resourceUri: pulumi.Input<string>,
  workspaceId: pulumi.Input<string>,
  categories: readonly string[],
) {
  const logs = categories.map((category) => ({ category, enabled: true }));
  return { resourceUri, name: "sealed-onion", workspaceId, logs };
}
