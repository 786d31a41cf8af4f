import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment";
import { BlobContainer } from "@pulumi/azure-native/storage/blobContainer";
import * as pulumi from "@pulumi/pulumi";
import { BLOB_CONTRIBUTOR } from "../../azure/azure-names";
import { roleAssignmentArgs } from "../../azure/role-assignment";

/** The stack's storage account. */
export interface StackAccount {
  readonly id: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;
  /** The group that it is in. */
  readonly groupName: pulumi.Output<string>;
  /** `https://ACCOUNT.blob.core.windows.net` */
  readonly endpoint: pulumi.Output<string>;
}

export interface StatusContainerArgs {
  readonly account: StackAccount;
  readonly subscriptionId: pulumi.Input<string>;
  /** Object id of who writes: the machine's identity. */
  readonly writer: pulumi.Input<string>;
  /** Whether somebody else has granted that. @default false */
  readonly granted?: boolean;
}

const CONTAINER = "status";

/** Where a machine's status is, once its container is there. */
export function statusUrl({ endpoint }: Pick<StackAccount, "endpoint">): pulumi.Output<string> {
  return pulumi.interpolate`${endpoint}/${CONTAINER}`;
}

/** The container that the machines write their status to, and their right to this one alone. */
export function statusContainer(
  parent: pulumi.Resource,
  name: string,
  args: StatusContainerArgs,
): readonly [BlobContainer, ...RoleAssignment[]] {
  const { account } = args;
  const container = new BlobContainer(
    `${name}-status`,
    { resourceGroupName: account.groupName, accountName: account.name, containerName: CONTAINER, publicAccess: "None" },
    { parent },
  );
  return args.granted ? [container] : [container, statusWriter(parent, name, container, args)];
}

/** Another principal's right to write there. */
export function statusWriter(
  parent: pulumi.Resource,
  name: string,
  container: pulumi.Resource & { readonly id: pulumi.Output<string> },
  { account, subscriptionId, writer }: StatusContainerArgs,
): RoleAssignment {
  const grant = {
    grantee: { objectId: writer, type: "ServicePrincipal" as const },
    role: BLOB_CONTRIBUTOR,
    scope: container.id,
    subscriptionId,
    nameOf: [account.id, CONTAINER],
  };
  const options = { parent, deleteBeforeReplace: true };
  return new RoleAssignment(`${name}-status-writer`, roleAssignmentArgs(grant), options);
}
