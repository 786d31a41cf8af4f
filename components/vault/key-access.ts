import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment";
import { RoleDefinition } from "@pulumi/azure-native/authorization/roleDefinition";
import { AccessPolicy } from "@pulumi/azure-native/keyvault/accessPolicy";
import * as pulumi from "@pulumi/pulumi";
import { guidOf } from "../azure/azure-names";
import { type Deployer, type Grantee, grant } from "../azure/deployer";
import { roleAssignmentArgs } from "../azure/role-assignment";
import type { VaultSettings } from "./vault";

/** A vault's key and who gets which rights to it. */
export interface KeyAccess {
  readonly authorization: VaultSettings["authorization"];
  readonly groupName: pulumi.Input<string>;
  readonly groupId: pulumi.Input<string>;
  readonly vaultName: pulumi.Input<string>;
  readonly keyId: pulumi.Input<string>;
  /** Rights are given after it is there, and taken before it goes. */
  readonly guard: pulumi.Resource | undefined;
  readonly deployer: Deployer;
  readonly sealers: readonly Grantee[];
  readonly machine: Grantee;
  /** Whether somebody else made the role assignments. */
  readonly granted?: boolean;
}

/** What must exist before a sealer can seal, and before the machine can open. */
export interface KeyGrants {
  readonly sealers: readonly pulumi.Resource[];
  readonly machine: readonly pulumi.Resource[];
  /** By which another key of the vault can be granted, too. @default none: access policies hold for all keys */
  readonly roles?: Readonly<Record<Part, RoleDefinition>>;
}

/** As access policies name them. */
const RIGHTS = { sealer: ["get", "encrypt", "decrypt"], machine: ["decrypt"] } as const;

/** The same rights as roles name them. No built-in role has exactly these: Key Vault Crypto User may sign and wrap. */
const ROLES = {
  sealer: { title: "Sealer", actions: ["read", "encrypt/action", "decrypt/action"] },
  machine: { title: "Opener", actions: ["decrypt/action"] },
} as const;

type Part = keyof typeof RIGHTS;

/** Gives the machine and the sealers their rights, by the vault's policies or by role assignments on the key. */
export function grantKeyAccess(parent: pulumi.Resource, name: string, access: KeyAccess): KeyGrants {
  if (access.authorization === "rbac" && access.granted) return { sealers: guards(access), machine: guards(access) };
  return access.authorization === "rbac" ? assignRoles(parent, name, access) : addPolicies(parent, name, access);
}

function guards({ guard }: Pick<KeyAccess, "guard">): pulumi.Resource[] {
  return guard === undefined ? [] : [guard];
}

/** One after the other: the vault answers 409 to two changes of its policies at once. */
function addPolicies(parent: pulumi.Resource, name: string, access: KeyAccess): KeyGrants {
  const chain: pulumi.Resource[] = guards(access);
  const add = (grantee: Grantee, part: Part) => {
    const { tenantId } = access.deployer;
    const policy = { tenantId, objectId: grantee.objectId, permissions: { keys: [...RIGHTS[part]] } };
    const args = { resourceGroupName: access.groupName, vaultName: access.vaultName, policy };
    const { name: policyName, options } = grant(parent, `${name}-*-policy`, grantee, chain.slice(-1));
    // A policy belongs to its principal: another principal has another policy.
    chain.push(new AccessPolicy(policyName, args, { ...options, replaceOnChanges: ["policy.objectId"] }));
    return chain.slice(-1);
  };
  const sealers = access.sealers.flatMap((sealer) => add(sealer, "sealer"));
  return { sealers, machine: add(access.machine, "machine") };
}

function assignRoles(parent: pulumi.Resource, name: string, access: KeyAccess): KeyGrants {
  const sealer = defineRole(parent, name, "sealer", access);
  const machine = defineRole(parent, name, "machine", access);
  const roles = { sealer, machine };
  return { ...assignOnKey(parent, name, roles, access), roles };
}

/** Gives a machine and the sealers their rights on one key. */
export function assignOnKey(
  parent: pulumi.Resource,
  name: string,
  { sealer, machine }: Readonly<Record<Part, RoleDefinition>>,
  access: Pick<KeyAccess, "guard" | "keyId" | "deployer" | "sealers" | "machine">,
): KeyGrants {
  const sealers: RoleAssignment[] = [];
  for (const grantee of access.sealers) {
    const before = [...guards(access), ...sealers.slice(-1)];
    const { name: assignment, options } = grant(parent, `${name}-*-assignment`, grantee, before);
    sealers.push(new RoleAssignment(assignment, assignmentArgs(grantee, sealer, access), options));
  }
  const { name: assignment, options } = grant(parent, `${name}-*-assignment`, access.machine, guards(access));
  return {
    sealers,
    machine: [new RoleAssignment(assignment, assignmentArgs(access.machine, machine, access), options)],
  };
}

/** A custom role with exactly the rights of that part, assignable within the stack's resource group. */
function defineRole(parent: pulumi.Resource, name: string, part: Part, access: KeyAccess): RoleDefinition {
  const { title, actions } = ROLES[part];
  const args = {
    scope: access.groupId,
    roleDefinitionId: pulumi.output(access.groupId).apply((id) => guidOf("role", id, part)),
    // Unique in the tenant, as Azure wants it.
    roleName: pulumi.interpolate`Sealed Onion ${title} (${access.vaultName})`,
    description: `What a sealed-onion ${part} may do with the vault's key`,
    roleType: "CustomRole",
    assignableScopes: [access.groupId],
    permissions: [
      {
        actions: [],
        notActions: [],
        notDataActions: [],
        dataActions: actions.map((action) => `Microsoft.KeyVault/vaults/keys/${action}`),
      },
    ],
  };
  return new RoleDefinition(`${name}-${part}-role`, args, { parent });
}

/** The role on the key itself, and on no other key of the vault. */
function assignmentArgs(
  grantee: Grantee,
  { id }: RoleDefinition,
  { keyId, deployer }: Pick<KeyAccess, "keyId" | "deployer">,
) {
  return roleAssignmentArgs({ grantee, role: id, scope: keyId, subscriptionId: deployer.subscriptionId });
}
