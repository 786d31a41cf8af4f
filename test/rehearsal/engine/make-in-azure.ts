import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import type { Stage } from "./stage";

/** Makes a resource as somebody else of the subscription would, and answers its id. */
export async function makeInAzure(
  { azure }: Pick<Stage, "azure">,
  token: string,
  inputs: Record<string, unknown>,
): Promise<string> {
  const { cloud, workstation } = azure;
  const provider = simulatedAzureNative({ cloud, principal: workstation.principal, location: "westeurope" });
  const type = `azure-native:${token}`;
  const request = { urn: `urn:pulumi:hub::hub::${type}::hub`, type, name: "hub" };
  const checked = await provider.check({ ...request, olds: undefined, news: inputs, randomSeed: new Uint8Array(32) });
  if (checked.failures.length > 0) throw new Error(JSON.stringify(checked.failures));
  return (await provider.create({ ...request, inputs: checked.inputs, preview: false })).id;
}

/** Registers a feature of Microsoft.Compute for the subscription. */
export function registerFeature({ azure: { cloud } }: Pick<Stage, "azure">, name: string): void {
  const provider = `/subscriptions/${cloud.subscriptionId}/providers/Microsoft.Features/providers/Microsoft.Compute`;
  const properties = { state: "Registered" };
  cloud.put({ id: `${provider}/features/${name}`, type: "Microsoft.Features/features", name, properties });
}
