import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity";
import type * as pulumi from "@pulumi/pulumi";
import type { Looked } from "../azure/existing/look";
import type { StackVault } from "./vault-and-key";

/** What the VM is known by to Key Vault. */
export interface MachineIdentity {
  readonly id: pulumi.Output<string>;
  readonly clientId: pulumi.Output<string>;
  readonly principalId: pulumi.Output<string>;
}

interface Place {
  readonly args: Pick<StackVault, "existing" | "stack">;
  readonly group: pulumi.Input<string>;
  readonly location: string;
  readonly looked: pulumi.Output<Looked>;
}

/** What the VM is known by: an identity of the stack's own, or an existing one. */
export function machineIdentity(parent: pulumi.Resource, name: string, place: Place): MachineIdentity {
  const { args, group, location, looked } = place;
  const id = args.existing?.identity;
  if (id !== undefined) {
    return {
      id: looked.apply(() => id),
      clientId: looked.apply(({ identity }) => identity?.clientId ?? ""),
      principalId: looked.apply(({ identity }) => identity?.principalId ?? ""),
    };
  }
  const identityArgs = { resourceGroupName: group, location, resourceName: `sealed-onion-${args.stack}` };
  const own = new UserAssignedIdentity(`${name}-identity`, identityArgs, { parent });
  return { id: own.id, clientId: own.clientId, principalId: own.principalId };
}
