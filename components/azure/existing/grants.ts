import { getRoleAssignment } from "@pulumi/azure-native/authorization/getRoleAssignment";
import { getRoleDefinition } from "@pulumi/azure-native/authorization/getRoleDefinition";
import type * as pulumi from "@pulumi/pulumi";
import { distinct, type Field, list, NAMESPACE, text } from "../../config/fields";
import { covers } from "../rights";

const FORM =
  /^(\/subscriptions\/[^/]+(?:\/.+)?|\/providers\/Microsoft\.Management\/managementGroups\/[^/]+)\/providers\/Microsoft\.Authorization\/roleAssignments\/([0-9a-f-]{36})$/i;

/** Role assignments that somebody else made: where they are all that there is, none is made. */
export type Grants = readonly string[];

/** Reads configuration key `grants`. @returns undefined where none is named: what is needed is granted by the program */
export function parseGrants(field: Field): Grants | undefined {
  const allowed = "a list of ids of role assignments (az role assignment list --all --query [].id)";
  const grants = list(field, allowed, (item) => text(item, "the id of a role assignment", FORM));
  return grants.length === 0 ? undefined : distinct(field, grants);
}

/** What somebody must have been granted. */
export interface Need {
  /** For people: `the machine's identity`. */
  readonly who: string;
  readonly principalId: string;
  /** As roles list them. */
  readonly dataActions: readonly string[];
  /** ARM id of what it is for, or of the group that it will be in. */
  readonly scope: string;
  /** A role that has it. */
  readonly role: string;
}

/** A role assignment as Azure has it. */
interface Granted {
  readonly principalId: string;
  readonly scope: string;
  readonly permissions: readonly { readonly dataActions?: string[]; readonly notDataActions?: string[] }[];
}

/**
 * Reads the named assignments, and checks that they give all that is needed. Whether somebody is in a group that has a
 * right is for Entra to say: who is to have it is named.
 * @throws Error with a line for each that is not there, and for each right that none of them gives
 */
export async function checkGrants(grants: Grants, needs: readonly Need[], parent: pulumi.Resource): Promise<void> {
  const read = await Promise.all(grants.map((id) => readGrant(id, parent)));
  const problems = read.filter((one) => typeof one === "string");
  const granted = read.filter((one) => typeof one !== "string");
  const missing = needs.filter((need) => !granted.some((one) => gives(one, need)));
  const lines = [...problems, ...missing.map(lineOf)];
  if (lines.length > 0) throw new Error(lines.join("\n"));
}

async function readGrant(id: string, parent: pulumi.Resource): Promise<Granted | string> {
  const [, scope = "", roleAssignmentName = ""] = FORM.exec(id) ?? [];
  try {
    const found = await getRoleAssignment({ roleAssignmentName, scope }, { parent });
    const roleDefinitionId = found.roleDefinitionId.split("/").at(-1) ?? "";
    const role = await getRoleDefinition({ roleDefinitionId, scope }, { parent });
    const { permissions = [] } = role;
    return { principalId: found.principalId, scope, permissions };
  } catch (error) {
    const [reason = ""] = `${(error as Error).message}`.trim().split("\n");
    const why = /404|NotFound|not found/i.test(reason) ? "does not exist" : `cannot be read (${reason})`;
    return `grants: role assignment ${roleAssignmentName} ${why}: remove it from ${NAMESPACE}:grants`;
  }
}

function gives({ permissions, principalId, scope }: Granted, need: Need): boolean {
  if (principalId.toLowerCase() !== need.principalId.toLowerCase()) return false;
  if (!`${need.scope}/`.toLowerCase().startsWith(`${scope}/`.toLowerCase()) && !/managementGroups/i.test(scope))
    return false;
  return need.dataActions.every((action) =>
    permissions.some(
      ({ dataActions = [], notDataActions = [] }) => covers(dataActions, action) && !covers(notDataActions, action),
    ),
  );
}

function lineOf({ principalId, role, scope, who }: Need): string {
  const kind = `az role assignment create --assignee-object-id ${principalId} --role "${role}" --scope ${scope}`;
  return `grants: none of them lets ${who} do what "${role}" does on ${scope}: have somebody type ${kind}, and add the id`;
}
