import type { AzureCloud } from "../azure/clouds";
import { GUID } from "../azure/principals";
import {
  at,
  distinct,
  type Field,
  gather,
  list,
  malformed,
  map,
  mustBe,
  NAMESPACE,
  optional,
  structure,
  text,
  wholeNumber,
} from "../config/fields";
import { DEFAULTS, follows, ruled, saysOf } from "../config/rules";
import { BINDINGS, parseBindings, parseIds, type RoleBindings } from "./vault-bindings";

/** A role of Vault's azure auth method: which machines get which policies. */
export interface VaultRole {
  readonly name: string;
  readonly policies: readonly string[];
  /** Undefined binds to this stack's VM: its subscription, resource group and identity. */
  readonly bindings?: RoleBindings;
  /** A token's first lifetime and its longest, in seconds. @default 3600 */
  readonly ttl: number;
  readonly maxTtl: number;
}

/** How Vault proves itself to Azure where it has no managed identity of its own: a token that it signs (Enterprise). */
export interface VaultFederation {
  readonly clientId: string;
  readonly audience: string;
  /** Seconds. @default 3600 */
  readonly ttl: number;
}

/** HashiCorp Vault's azure auth method for managed identities. */
export interface VaultAuth {
  /** Vault's URL, from `vault:address`. */
  readonly address: string;
  /** Object ids of Vault's own identities: one that its nodes share, or one a node. */
  readonly principals: readonly string[];
  /** Where Vault may look up machines. @default the stack's own subscription */
  readonly subscriptions: readonly string[];
  /** Where the method is mounted, without `auth/`. @default azure */
  readonly mount: string;
  readonly description: string;
  /** Seconds. @default 3600 */
  readonly leaseSeconds: number;
  /** The audience that a machine's token must have. @default Resource Manager's, in the public cloud https://management.azure.com/ */
  readonly resource: string;
  readonly federation?: VaultFederation;
  /** Policies to write: name -> HCL, which Vault itself checks. @default none */
  readonly policies: Readonly<Record<string, string>>;
  readonly roles: readonly VaultRole[];
  /** The role that the VM's agent takes. @default the only one */
  readonly agentRole: string;
}

export const DEFAULT_VAULT_AUTH = {
  ...DEFAULTS.vaultAgent,
  description: "machines by their managed identity",
  leaseSeconds: 3600,
} as const;

const LONGEST = 10 * 365 * 24 * 3600;

const KEYS = [
  "principals",
  "subscriptions",
  "mount",
  "description",
  "leaseSeconds",
  "resource",
  "federation",
  "policies",
  "roles",
  "agentRole",
];

/**
 * Reads configuration key `vaultAuth`, which is off where it is not set or empty.
 * @param address the value of `vault:address`
 * @param cloud where the machines' tokens are from
 */
export function parseVaultAuth(field: Field, address: Field, cloud: AzureCloud): VaultAuth | undefined {
  if (field.value === undefined) return undefined;
  const keys = structure(field, KEYS);
  if (Object.keys(keys).length === 0) return undefined;
  const value = (key: string) => at(field.path, keys, key);
  const { federation, agentRole, ...auth } = gather({
    address: () => parseAddress(address),
    principals: () => parsePrincipals(value("principals")),
    subscriptions: () => optional(value("subscriptions"), [], parseIds),
    mount: () => optional(value("mount"), DEFAULT_VAULT_AUTH.mount, (mount) => ruled(mount, "vaultMount")),
    description: () => optional(value("description"), DEFAULT_VAULT_AUTH.description, (one) => text(one, "a text")),
    leaseSeconds: () => optional(value("leaseSeconds"), DEFAULT_VAULT_AUTH.leaseSeconds, parseSeconds),
    resource: () =>
      optional(value("resource"), `https://${cloud.resourceManager}/`, (url) => ruled(url, "vaultAudience")),
    federation: () => optional(value("federation"), undefined, parseFederation),
    policies: () => optional(value("policies"), {}, parsePolicies),
    roles: () => parseRoles(value("roles")),
    agentRole: () => optional(value("agentRole"), undefined, (role) => text(role, "a role's name")),
  });
  const chosen = chooseAgentRole(value("agentRole"), agentRole, auth.roles);
  return { ...auth, agentRole: chosen, ...(federation === undefined ? {} : { federation }) };
}

/** A URL whose traffic nobody else reads: https, or http on this machine for a development server. */
function parseAddress(field: Field): string {
  const remedy = `type pulumi config set ${field.path} https://vault.example.com:8200`;
  const address = typeof field.value === "string" ? field.value.replace(/\/$/, "") : undefined;
  if (!follows("vaultAddress", address)) throw mustBe(field, saysOf("vaultAddress"), remedy);
  return address;
}

function parsePrincipals(field: Field): string[] {
  const principals = field.value === undefined ? [] : parseIds(field);
  if (principals.length === 0) throw mustBe(field, "a list of at least one object id: Vault's own identity");
  return principals;
}

function parseSeconds(field: Field): number {
  return wholeNumber(field, 60, LONGEST);
}

function parseFederation(field: Field): VaultFederation {
  const keys = structure(field, ["clientId", "audience", "ttl"]);
  const value = (key: string) => at(field.path, keys, key);
  return gather<VaultFederation>({
    clientId: () => text(value("clientId"), "the client id of Vault's app registration", GUID),
    audience: () => text(value("audience"), "the audience of Vault's identity tokens"),
    ttl: () => optional(value("ttl"), 3600, parseSeconds),
  });
}

function parsePolicies(field: Field): Record<string, string> {
  const read = (name: string, item: Field) => [
    parsePolicyName({ path: `${field.path}'s name`, value: name }),
    text(item, "a policy in HCL"),
  ];
  return Object.fromEntries(map(field, "a map from policy names to HCL", read));
}

function parsePolicyName(field: Field): string {
  const name = ruled(field, "vaultRole", saysOf("vaultRole").replace("role", "policy"));
  if (name === "root") throw mustBe(field, "another policy than root, which may do everything");
  return name;
}

function parseRoles(field: Field): VaultRole[] {
  const roles = field.value === undefined ? [] : map(field, "a map of at least one role by name", parseRole);
  if (roles.length === 0) throw mustBe(field, "a map of at least one role by name");
  return roles;
}

function parseRole(name: string, field: Field): VaultRole {
  const keys = structure(field, ["policies", "ttl", "maxTtl", ...BINDINGS]);
  const value = (key: string) => at(field.path, keys, key);
  const { bindings, ...role } = gather({
    name: () => ruled({ path: "vaultAuth.roles's name", value: name }, "vaultRole"),
    policies: () => parseRolePolicies(value("policies")),
    bindings: () => parseBindings(field, value),
    ttl: () => optional(value("ttl"), 3600, parseSeconds),
    maxTtl: () => optional(value("maxTtl"), 3600, parseSeconds),
  });
  if (role.ttl > role.maxTtl) {
    const problem = `${field.path}.ttl must be at most maxTtl (${role.maxTtl}), got ${role.ttl}`;
    throw malformed(problem, `set ${NAMESPACE}:${field.path}.maxTtl`);
  }
  return bindings === undefined ? role : { ...role, bindings };
}

function parseRolePolicies(field: Field): string[] {
  const policies = field.value === undefined ? [] : list(field, "a list of policies", parsePolicyName);
  if (policies.length === 0) throw mustBe(field, "a list of at least one policy");
  distinct(field, policies);
  return policies;
}

function chooseAgentRole(field: Field, chosen: string | undefined, roles: readonly VaultRole[]): string {
  const names = roles.map(({ name }) => name);
  const [only = ""] = names;
  if (chosen === undefined && names.length === 1) return only;
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  throw mustBe(field, `the role of the VM's agent: ${names.join(", ")}`);
}
