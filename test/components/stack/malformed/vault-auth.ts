import { ID, type Malformed } from "./working";

const VAULT = { principals: [ID], roles: { web: { policies: ["web"] } } };

function vault(change: object): Record<string, unknown> {
  return { vaultAuth: { ...VAULT, ...change }, "vault:address": "https://vault.example.com:8200" };
}

/** Configurations of HashiCorp Vault that are refused. */
export const VAULT_AUTH: readonly Malformed[] = [
  [
    "Vault without its address",
    { vaultAuth: VAULT },
    "vault:address must be Vault's URL (https, or http on 127.0.0.1), got nothing: type pulumi config set vault:address https://vault.example.com:8200",
  ],
  [
    "Vault without TLS",
    { vaultAuth: VAULT, "vault:address": "http://vault.example.com:8200" },
    'vault:address must be Vault\'s URL (https, or http on 127.0.0.1), got "http://vault.example.com:8200": type pulumi config set vault:address https://vault.example.com:8200',
  ],
  [
    "a mistyped key of Vault",
    vault({ princpals: [ID] }),
    'vaultAuth has an unknown key "princpals", allowed are principals, subscriptions, mount, description, leaseSeconds, resource, federation, policies, roles, agentRole: did you mean "principals"',
  ],
  [
    "Vault without its own identity",
    vault({ principals: undefined }),
    "vaultAuth.principals must be a list of at least one object id: Vault's own identity, got nothing: set sealed-onion:vaultAuth.principals",
  ],
  [
    "Vault's identity by name",
    vault({ principals: ["vault"] }),
    'vaultAuth.principals[0] must be an id such as 01234567-89ab-cdef-0123-456789abcdef, got "vault": set sealed-onion:vaultAuth.principals[0]',
  ],
  [
    "Vault without a role",
    vault({ roles: {} }),
    "vaultAuth.roles must be a map of at least one role by name, got {}: set sealed-onion:vaultAuth.roles",
  ],
  [
    "a role that every machine could take",
    vault({ roles: { web: { policies: ["web"], resourceGroups: [] } } }),
    "vaultAuth.roles.web is bound to nothing, so every machine of the tenant could take it: set sealed-onion:vaultAuth.roles.web.servicePrincipals, or leave all bindings out",
  ],
  [
    "a role that Vault lets nobody take",
    vault({ roles: { web: { policies: ["web"], resourceGroups: ["workers"] } } }),
    "vaultAuth.roles.web is bound to no identity, and Vault lets in nobody without one: set sealed-onion:vaultAuth.roles.web.servicePrincipals to [own] (this stack's VM) or to object ids of managed identities, or leave all bindings out",
  ],
  [
    "an identity that is none",
    vault({ roles: { web: { policies: ["web"], servicePrincipals: ["self"] } } }),
    'vaultAuth.roles.web.servicePrincipals[0] must be own (this stack\'s VM) or the object id of a managed identity, got "self": set sealed-onion:vaultAuth.roles.web.servicePrincipals[0]',
  ],
  [
    "a role without a policy",
    vault({ roles: { web: { policies: [] } } }),
    "vaultAuth.roles.web.policies must be a list of at least one policy, got []: set sealed-onion:vaultAuth.roles.web.policies",
  ],
  [
    "a role that may do everything",
    vault({ roles: { web: { policies: ["root"] } } }),
    'vaultAuth.roles.web.policies[0] must be another policy than root, which may do everything, got "root": set sealed-onion:vaultAuth.roles.web.policies[0]',
  ],
  [
    "a role whose first lease is longer than its last",
    vault({ roles: { web: { policies: ["web"], ttl: 7200 } } }),
    "vaultAuth.roles.web.ttl must be at most maxTtl (3600), got 7200: set sealed-onion:vaultAuth.roles.web.maxTtl",
  ],
  [
    "two roles and no word which the agent takes",
    vault({ roles: { web: { policies: ["web"] }, mail: { policies: ["mail"] } } }),
    "vaultAuth.agentRole must be the role of the VM's agent: mail, web, got nothing: set sealed-onion:vaultAuth.agentRole",
  ],
  [
    "an agent with a role that does not exist",
    vault({ agentRole: "mail" }),
    'vaultAuth.agentRole must be the role of the VM\'s agent: web, got "mail": set sealed-onion:vaultAuth.agentRole',
  ],
  [
    "a policy that is no text",
    vault({ policies: { web: { path: "secret/web" } } }),
    'vaultAuth.policies.web must be a policy in HCL, got {"path":"secret/web"}: set sealed-onion:vaultAuth.policies.web',
  ],
  [
    "an empty policy",
    vault({ policies: { web: "" } }),
    'vaultAuth.policies.web must be a policy in HCL, got "": set sealed-onion:vaultAuth.policies.web',
  ],
  [
    "a mount with its prefix",
    vault({ mount: "/auth/azure/" }),
    'vaultAuth.mount must be a mount path without auth/ and without / at its ends, got "/auth/azure/": set sealed-onion:vaultAuth.mount',
  ],
  [
    "a lease of a second",
    vault({ leaseSeconds: 1 }),
    "vaultAuth.leaseSeconds must be a whole number from 60 to 315360000, got 1: set sealed-onion:vaultAuth.leaseSeconds",
  ],
];
