import { GUID } from "../azure/principals";
import { distinct, type Field, gather, list, malformed, NAMESPACE, optional, text } from "../config/fields";

/** Who may take a role: a machine must match every list that is not empty. */
export interface RoleBindings {
  readonly subscriptions: readonly string[];
  readonly resourceGroups: readonly string[];
  readonly locations: readonly string[];
  readonly scaleSets: readonly string[];
  /** Object ids of managed identities, and `OWN_IDENTITY` for this stack's VM. Never empty: Vault lets in nobody then. */
  readonly servicePrincipals: readonly string[];
}

/** Stands for the identity of this stack's VM, whose object id is known only once it is made. */
export const OWN_IDENTITY = "own";

export const BINDINGS = ["subscriptions", "resourceGroups", "locations", "scaleSets", "servicePrincipals"] as const;

/** Ids, in small letters. */
export function parseIds(field: Field): string[] {
  const ids = list(field, "a list of ids", (item) => {
    return text(item, "an id such as 01234567-89ab-cdef-0123-456789abcdef", new RegExp(GUID, "i")).toLowerCase();
  });
  distinct(field, ids);
  return ids;
}

/** The bindings among a role's keys; undefined where it has none. */
export function parseBindings(role: Field, value: (key: string) => Field): RoleBindings | undefined {
  if (BINDINGS.every((key) => value(key).value === undefined)) return undefined;
  const names = (key: string, allowed: string, pattern: RegExp) => () =>
    optional(value(key), [], (field) => list(field, "a list", (item) => text(item, allowed, pattern)));
  const bindings = gather<RoleBindings>({
    subscriptions: () => optional(value("subscriptions"), [], parseIds),
    resourceGroups: names("resourceGroups", "a resource group's name", /^[\w.()-]{1,89}[\w()-]$/),
    locations: names("locations", "an Azure region", /^[a-z][a-z0-9]+$/),
    scaleSets: names("scaleSets", "a scale set's name", /^[\w.-]{1,64}$/),
    servicePrincipals: () => optional(value("servicePrincipals"), [], parseServicePrincipals),
  });
  if (BINDINGS.every((key) => bindings[key].length === 0)) {
    const problem = `${role.path} is bound to nothing, so every machine of the tenant could take it`;
    throw malformed(problem, `set ${NAMESPACE}:${role.path}.servicePrincipals, or leave all bindings out`);
  }
  if (bindings.servicePrincipals.length === 0) {
    const problem = `${role.path} is bound to no identity, and Vault lets in nobody without one`;
    const whose = `[${OWN_IDENTITY}] (this stack's VM) or to object ids of managed identities`;
    throw malformed(problem, `set ${NAMESPACE}:${role.path}.servicePrincipals to ${whose}, or leave all bindings out`);
  }
  return bindings;
}

function parseServicePrincipals(field: Field): string[] {
  const allowed = `${OWN_IDENTITY} (this stack's VM) or the object id of a managed identity`;
  const ids = list(field, `a list: ${allowed}`, (item) =>
    text(item, allowed, new RegExp(`${GUID.source}|^${OWN_IDENTITY}$`, "i")).toLowerCase(),
  );
  distinct(field, ids);
  return ids;
}
