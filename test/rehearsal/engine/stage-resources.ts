import type { CloudResource } from "loopback-azure/cloud";
import { groupName } from "../../../components/azure/azure-names";
import type { Stage } from "./stage";

type Where = Pick<Stage, "azure" | "stack"> & { readonly config?: Stage["config"] };

/** The region that the stack's configuration names. */
function regionOf({ config }: Where): string {
  return config?.["azure-native:location"] ?? "westeurope";
}

/** What Azure has of the stage's stack in its region, and of no other in the subscription. @param type `Microsoft.KeyVault/vaults` */
export function stageResources(stage: Where, type?: string): CloudResource[] {
  const { cloud } = stage.azure;
  const under = `/subscriptions/${cloud.subscriptionId}/resourceGroups/${groupName(stage.stack, regionOf(stage))}`;
  return cloud.list({ under, ...(type !== undefined && { type }) });
}

/** @throws unless there is exactly one */
export function onlyResource(stage: Where, type: string): CloudResource {
  const [only, ...more] = stageResources(stage, type);
  if (only === undefined || more.length > 0) throw new Error(`${only ? more.length + 1 : 0} of ${type}, must be one`);
  return only;
}

export const VAULT = "Microsoft.KeyVault/vaults";
export const ACCOUNT = "Microsoft.Storage/storageAccounts";

/** Host names at which the stack's vault and storage account are reached. */
export function stageHosts(stage: Where): { vault: string; account: string } {
  const [vault, account] = [onlyResource(stage, VAULT).name, onlyResource(stage, ACCOUNT).name];
  return { vault: `${vault}.vault.azure.net`, account: `${account}.blob.core.windows.net` };
}
