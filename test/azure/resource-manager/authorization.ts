import type { CloudResource, ResourceStore } from "./resource-store";
import { isUnder } from "./resource-store";
import { builtInRole, type RolePermission } from "./role-definitions";

/** An operation on a resource, by the names role definitions use. */
export interface Operation {
  /** Control plane. */
  action?: string;
  /** Data plane. */
  dataAction?: string;
}

function matches(pattern: string, text: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return text === head;
  const tail = rest.pop() ?? "";
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false;
  let position = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= text.length - tail.length;
}

/**
 * Whether `pattern` covers an operation, without case. `*` stands for any characters, slashes too, and a whole part may
 * be missing: `virtualMachines/*` + `/read` covers `virtualMachines/read`, as roles in use depend on.
 */
export function coversOperation(pattern: string, operation: string): boolean {
  const [wanted, text] = [pattern.toLowerCase(), operation.toLowerCase()];
  return matches(wanted, text) || matches(wanted.replaceAll("/*/", "/"), text);
}

function grants(allowed: string[] | undefined, denied: string[] | undefined, operation: string | undefined): boolean {
  if (operation === undefined) return true;
  const covered = (patterns: string[] = []) => patterns.some((pattern) => coversOperation(pattern, operation));
  return covered(allowed) && !covered(denied);
}

/** Whether one permission of a role grants an operation. */
export function permits(permission: RolePermission, operation: Operation): boolean {
  const { actions, notActions, dataActions, notDataActions } = permission;
  return grants(actions, notActions, operation.action) && grants(dataActions, notDataActions, operation.dataAction);
}

function permissionsOf(resources: ResourceStore, roleDefinitionId: string): RolePermission[] {
  const guid = roleDefinitionId.split("/").at(-1) ?? "";
  const builtIn = builtInRole(guid);
  if (builtIn) return builtIn.permissions;
  const custom = resources
    .listEffective({ type: "Microsoft.Authorization/roleDefinitions" })
    .find((definition) => definition.id.toLowerCase().endsWith(`/${guid.toLowerCase()}`));
  const permissions = custom?.properties.permissions;
  return Array.isArray(permissions) ? (permissions as RolePermission[]) : [];
}

/** What role assignments in effect give on a scope, from it and from above. Conditions are not evaluated here. */
export function permissionsAt(resources: ResourceStore, principals: string[], scope: string): RolePermission[] {
  const holders = principals.map((principal) => principal.toLowerCase());
  const assignments = resources.listEffective({ type: "Microsoft.Authorization/roleAssignments" });
  return assignments
    .filter(({ properties }) => !properties.condition && holders.includes(String(properties.principalId).toLowerCase()))
    .filter((assignment) => isUnder(scope, scopeOf(assignment)))
    .flatMap(({ properties }) => permissionsOf(resources, String(properties.roleDefinitionId)));
}

/** The resource an assignment is made on: its own id says it, whatever its properties repeat. */
function scopeOf(assignment: CloudResource): string {
  return assignment.id.replace(/\/providers\/Microsoft\.Authorization\/roleAssignments\/[^/]+$/i, "") || "/";
}

/**
 * Whether a role assignment in effect grants an operation on a resource: to one of `principals` (a principal and its
 * groups), on the resource or above it. An assignment with a condition grants nothing: conditions are not evaluated here.
 */
export function isAllowed(
  resources: ResourceStore,
  principals: string[],
  resourceId: string,
  operation: Operation,
): boolean {
  const holders = principals.map((principal) => principal.toLowerCase());
  const assignments = resources.listEffective({ type: "Microsoft.Authorization/roleAssignments" });
  return assignments.some((assignment) => {
    const { principalId, roleDefinitionId, condition } = assignment.properties;
    if (condition || !holders.includes(String(principalId).toLowerCase())) return false;
    if (!isUnder(resourceId, scopeOf(assignment))) return false;
    return permissionsOf(resources, String(roleDefinitionId)).some((permission) => permits(permission, operation));
  });
}
