import type { Cloud } from "../../cloud";
import { BUILT_IN_ROLES, builtInRole } from "../../resource-manager/role-definitions";
import { refuse } from "../arm";
import type { NameRule, ResourceKind, Situation } from "../resource-kind";
import { isMap } from "../values";

const ASSIGNMENTS = "Microsoft.Authorization/roleAssignments";
const DEFINITIONS = "Microsoft.Authorization/roleDefinitions";

function guidName(input: string): NameRule {
  const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  return { input, pattern, rule: "a GUID", automatic: "uuid" };
}

function lastSegment(id: string): string {
  return (id.split("/").at(-1) ?? "").toLowerCase();
}

function scopeOf(id: string): string {
  return id.replace(/\/providers\/Microsoft\.Authorization\/role(Assignments|Definitions)\/[^/]+$/i, "");
}

function checkScope(cloud: Cloud, scope: string): void {
  const subscription = `/subscriptions/${cloud.subscriptionId}`.toLowerCase();
  if (scope === "" || scope.toLowerCase() === subscription || cloud.get(scope) !== undefined) return;
  refuse(404, "ResourceNotFound", `The scope '${scope}' was not found.`);
}

function checkRole(cloud: Cloud, roleDefinitionId: string): void {
  const isId = /^(\/subscriptions\/[^/]+)?\/providers\/Microsoft\.Authorization\/roleDefinitions\/[^/]+$/i;
  if (!isId.test(roleDefinitionId))
    refuse(400, "InvalidRoleDefinitionId", `The role definition ID '${roleDefinitionId}' is not valid.`);
  const role = lastSegment(roleDefinitionId);
  const custom = cloud.list({ type: DEFINITIONS }).some(({ name }) => name.toLowerCase() === role);
  if (builtInRole(role) === undefined && !custom)
    refuse(400, "RoleDefinitionDoesNotExist", `The specified role definition with ID '${role}' does not exist.`);
}

/** A managed identity that was just made is not known everywhere yet: Azure then asks for its kind. */
function checkPrincipal({ cloud, wanted }: Situation): void {
  const { principalId, principalType } = wanted.properties;
  const principal = cloud.directory.principal(String(principalId));
  if (principal === undefined || (principal.kind === "managedIdentity" && principalType === undefined))
    refuse(
      400,
      "PrincipalNotFound",
      `Principal ${principalId} does not exist in the directory ${cloud.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype`,
    );
  if (principal.kind === "managedIdentity" && principalType !== "ServicePrincipal")
    refuse(
      400,
      "UnmatchedPrincipalType",
      `The PrincipalId '${principalId}' has type 'ServicePrincipal', which is different from specified PrinciaplType '${principalType}'.`,
    );
}

function checkAssignment(situation: Situation): void {
  const { cloud, wanted, existing, id } = situation;
  const { roleDefinitionId, principalId } = wanted.properties;
  checkScope(cloud, scopeOf(id));
  checkRole(cloud, String(roleDefinitionId));
  checkPrincipal(situation);
  if (
    existing !== undefined &&
    lastSegment(String(existing.properties.roleDefinitionId)) !== lastSegment(String(roleDefinitionId))
  )
    refuse(
      400,
      "RoleAssignmentUpdateNotPermitted",
      "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    );
  const twin = cloud
    .list({ type: ASSIGNMENTS })
    .some(
      (other) =>
        other.id.toLowerCase() !== id.toLowerCase() &&
        scopeOf(other.id).toLowerCase() === scopeOf(id).toLowerCase() &&
        other.properties.principalId === principalId &&
        lastSegment(String(other.properties.roleDefinitionId)) === lastSegment(String(roleDefinitionId)),
    );
  if (twin) refuse(409, "RoleAssignmentExists", "The role assignment already exists.");
}

/** Source: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting */
export const roleAssignment: ResourceKind = {
  token: "azure-native:authorization:RoleAssignment",
  type: ASSIGNMENTS,
  path: "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
  apiVersion: "2022-04-01",
  models: "authorization",
  request: "RoleAssignmentCreateParameters",
  response: "RoleAssignment",
  names: [guidName("roleAssignmentName")],
  hasLocation: false,
  required: ["scope"],
  allowed: { principalType: ["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"] },
  replaceOn: ["principalId", "scope"],
  validate: checkAssignment,
  complete: ({ wanted, id }) => ({ ...wanted, properties: { ...wanted.properties, scope: scopeOf(id) } }),
};

function checkDefinition({ cloud, wanted, id }: Situation): void {
  checkScope(cloud, scopeOf(id));
  const { roleName, assignableScopes, permissions } = wanted.properties;
  const others = cloud.list({ type: DEFINITIONS }).filter((other) => other.id.toLowerCase() !== id.toLowerCase());
  const taken = [
    ...BUILT_IN_ROLES.map((known) => known.roleName),
    ...others.map(({ properties }) => String(properties.roleName)),
  ];
  if (taken.includes(String(roleName)))
    refuse(
      409,
      "RoleDefinitionWithSameNameExists",
      `A custom role with the same name already exists in this directory. Use a different name: ${roleName}`,
    );
  if (!Array.isArray(assignableScopes) || assignableScopes.length === 0)
    refuse(400, "InvalidRoleDefinitionAssignableScopes", "A custom role needs at least one assignable scope.");
  if (!assignableScopes.some((scope) => `${scopeOf(id)}/`.toLowerCase().startsWith(`${scope}/`.toLowerCase())))
    refuse(
      400,
      "InvalidRoleDefinitionAssignableScopes",
      `The scope '${scopeOf(id)}' must be among the assignable scopes.`,
    );
  const actions = Array.isArray(permissions) ? permissions.filter(isMap).flatMap((one) => one.actions ?? []) : [];
  const malformed = actions.find((action) => !/^(\*|[A-Za-z.*]+\/[\w*/.-]+)$/.test(String(action)));
  if (malformed !== undefined)
    refuse(
      400,
      "InvalidActionOrNotAction",
      `'${malformed}' does not match any of the actions supported by the providers.`,
    );
}

/** Source: https://learn.microsoft.com/azure/role-based-access-control/custom-roles */
export const roleDefinition: ResourceKind = {
  token: "azure-native:authorization:RoleDefinition",
  type: DEFINITIONS,
  path: "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
  apiVersion: "2022-05-01-preview",
  models: "authorization",
  request: "RoleDefinition",
  response: "RoleDefinition",
  names: [guidName("roleDefinitionId")],
  hasLocation: false,
  required: ["scope", "roleName", "permissions", "assignableScopes"],
  replaceOn: ["scope"],
  validate: checkDefinition,
  complete: ({ wanted }) => ({ ...wanted, properties: { type: "CustomRole", ...wanted.properties } }),
  remove({ cloud, existing }) {
    const used = cloud
      .list({ type: ASSIGNMENTS })
      .some(({ properties }) => lastSegment(String(properties.roleDefinitionId)) === existing.name);
    if (used)
      refuse(
        400,
        "RoleDefinitionHasAssignments",
        "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).",
      );
    return false;
  },
};
