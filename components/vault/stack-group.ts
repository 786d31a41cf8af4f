import { getResourceGroup } from "@pulumi/azure-native/resources/getResourceGroup";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup";
import * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import { groupName } from "../azure/azure-names";
import type { Deployer } from "../azure/deployer";
import type { Looked } from "../azure/existing/look";
import { keptOptions, type StackVault, type VaultAndKey } from "./vault-and-key";

interface Before {
  readonly deployer: Deployer;
  readonly looked: pulumi.Output<Looked>;
  /** Part of the names of what is made, which a preview does not know before anything was made. */
  readonly suffix: pulumi.Output<string>;
}

/** The group that a stack's resources are in: of its own, or an existing one. */
export function stackGroup(
  parent: pulumi.Resource,
  name: string,
  args: StackVault,
  { deployer, looked, suffix }: Before,
): VaultAndKey["group"] {
  const existing = args.resourceGroupName ?? args.existing?.resourceGroup;
  if (existing !== undefined) {
    const called = looked.apply(() => pulumi.output(existing));
    return { name: called, id: pulumi.interpolate`/subscriptions/${deployer.subscriptionId}/resourceGroups/${called}` };
  }
  const resourceGroupName = groupName(args.stack, args.location);
  const free = looked.apply(async () => {
    if (pulumi.runtime.isDryRun()) await checkFree(resourceGroupName, suffix, parent);
    return resourceGroupName;
  });
  // A group that is there keeps its name: groups were once named by the stack alone.
  const options = { ...keptOptions(parent, args), ignoreChanges: ["resourceGroupName"] };
  const group = new ResourceGroup(`${name}-group`, { resourceGroupName: free, location: args.location }, options);
  return { name: azureName(group), id: group.id };
}

/** @throws RunError where nothing was made yet and Azure has such a group: another clone's stack, or another state of this one, has made it */
async function checkFree(name: string, suffix: pulumi.Output<string>, parent: pulumi.Resource): Promise<void> {
  // Not among the SDK's typed members: false where nothing was made yet.
  if (await (suffix as unknown as { isKnown: Promise<boolean> }).isKnown) return;
  const isThere = await getResourceGroup({ resourceGroupName: name }, { parent }).then(
    () => true,
    () => false, // or may not be read: making it then says so
  );
  if (!isThere) return;
  throw new pulumi.RunError(
    `resource group ${name} is there already, and this stack has made nothing yet: type pulumi stack rename NAME if it is another clone's, pulumi stack select or pulumi login to the backend that knows it if it is yours, or set sealed-onion:existing.resourceGroup to share it`,
  );
}
