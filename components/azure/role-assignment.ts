import * as pulumi from "@pulumi/pulumi";
import { guidOf, roleDefinitionId } from "./azure-names";
import type { Grantee } from "./deployer";

export interface RoleGrant {
  readonly grantee: Pick<Grantee, "objectId" | "type">;
  /** The role's GUID, or the id of its definition, which ends in it. */
  readonly role: pulumi.Input<string>;
  /** The ARM id of what the role is given on. */
  readonly scope: pulumi.Input<string>;
  readonly subscriptionId: pulumi.Input<string>;
  /** What tells this scope from others in the assignment's name. @default the scope itself */
  readonly nameOf?: readonly pulumi.Input<string>[];
}

/** What a `RoleAssignment` is made of. Azure wants its name to be a GUID: it follows from scope, principal and role. */
export function roleAssignmentArgs({ grantee, role, scope, subscriptionId, nameOf = [scope] }: RoleGrant) {
  const { objectId, type } = grantee;
  const guid = pulumi.output(role).apply((id) => id.split("/").at(-1) ?? id);
  return {
    scope,
    principalId: objectId,
    principalType: type,
    roleDefinitionId: pulumi.all([subscriptionId, guid]).apply(([id, known]) => roleDefinitionId(id, known)),
    roleAssignmentName: pulumi
      .all([pulumi.all([...nameOf]), objectId, guid])
      .apply(([parts, principal, known]) => guidOf("assignment", ...parts, principal, known)),
  };
}
