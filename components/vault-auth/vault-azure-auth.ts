import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment";
import { RoleDefinition } from "@pulumi/azure-native/authorization/roleDefinition";
import * as pulumi from "@pulumi/pulumi";
import { AuthBackend } from "@pulumi/vault/authBackend";
import { AuthBackendConfig } from "@pulumi/vault/azure/authBackendConfig";
import { AuthBackendRole } from "@pulumi/vault/azure/authBackendRole";
import { Policy } from "@pulumi/vault/policy";
import { guidOf } from "../azure/azure-names";
import { cloudNamed } from "../azure/clouds";
import type { Deployer } from "../azure/deployer";
import { programSettings } from "../azure/program-settings";
import { roleAssignmentArgs } from "../azure/role-assignment";
import { readably } from "../process/readable-error";
import type { MachineIdentity } from "../vault/machine-identity";
import type { VaultAuth, VaultRole } from "./vault-auth";
import { OWN_IDENTITY } from "./vault-bindings";

export interface VaultAzureAuthArgs extends VaultAuth {
  /** The stack's name. */
  readonly stack: string;
  /** The VM's own resource group and identity, which roles without bindings are bound to. */
  readonly resourceGroupName: pulumi.Input<string>;
  readonly identity: Pick<MachineIdentity, "principalId">;
  readonly deployer: Pick<Deployer, "tenantId" | "subscriptionId">;
}

/** What Vault reads of a machine that logs in, and no more. */
const MACHINE_READS = ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachineScaleSets/*/read"];

/**
 * HashiCorp Vault's azure auth method: machines log in with the identity that Azure gives them. Vault itself looks
 * them up by a managed identity of its own, so there is no client secret anywhere.
 *
 *     new VaultAzureAuth("vault-auth", { stack: "dev", ...config.vaultAuth, ...vault });
 */
export class VaultAzureAuth extends pulumi.ComponentResource {
  /** Where the method is mounted, without `auth/`. */
  readonly mount: pulumi.Output<string>;

  constructor(name: string, args: VaultAzureAuthArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:VaultAzureAuth", name, {}, opts);
    const child = { parent: this };
    const subscriptions = args.subscriptions.length > 0 ? args.subscriptions : [args.deployer.subscriptionId];
    const reader = new RoleDefinition(`${name}-reader`, readerArgs(args.stack, subscriptions), child);
    const assignments = subscriptions.flatMap((subscription, index) =>
      args.principals.map((principal) => {
        const suffix = index === 0 ? principal : `${principal}-${subscription}`;
        return new RoleAssignment(`${name}-reader-${suffix}`, assignmentArgs(reader, subscription, principal), child);
      }),
    );

    const policies = Object.entries(args.policies).map(
      ([policy, hcl]) => new Policy(`${name}-${policy}-policy`, { name: policy, policy: hcl }, child),
    );
    // Vault checks policies when they are written: one that it refuses ends the deployment before anybody can log in.
    const backend = new AuthBackend(`${name}-backend`, backendArgs(args), { ...child, dependsOn: policies });
    const config = new AuthBackendConfig(`${name}-config`, configArgs(args, backend.path), child);
    for (const role of args.roles) {
      new AuthBackendRole(`${name}-${role.name}-role`, roleArgs(args, role, backend.path), {
        parent: this,
        dependsOn: [config, ...assignments],
      });
    }
    this.mount = backend.path;
    this.registerOutputs({ mount: this.mount });
  }
}

/** The custom role "Virtual Machine Reader"; names of roles are unique in the tenant, so it bears the stack's. */
function readerArgs(stack: string, subscriptions: readonly pulumi.Input<string>[]) {
  const scopes = subscriptions.map((id) => pulumi.interpolate`/subscriptions/${id}`);
  const [scope = pulumi.output("")] = scopes;
  return {
    scope,
    roleDefinitionId: scope.apply((id) => guidOf("role", id, stack, "virtual-machine-reader")),
    roleName: `Virtual Machine Reader (sealed-onion-${stack})`,
    description: "Lets HashiCorp Vault look up the machines that log in to it",
    roleType: "CustomRole",
    assignableScopes: scopes,
    permissions: [{ actions: MACHINE_READS, notActions: [], dataActions: [], notDataActions: [] }],
  };
}

function assignmentArgs({ id }: RoleDefinition, subscriptionId: pulumi.Input<string>, objectId: string) {
  return roleAssignmentArgs({
    grantee: { objectId, type: "ServicePrincipal" },
    role: id,
    scope: pulumi.interpolate`/subscriptions/${subscriptionId}`,
    subscriptionId,
    nameOf: [subscriptionId],
  });
}

function backendArgs({ mount, description, leaseSeconds }: VaultAuth) {
  const lease = `${leaseSeconds}s`;
  return { type: "azure", path: mount, description, tune: { defaultLeaseTtl: lease, maxLeaseTtl: lease } };
}

function configArgs({ deployer, federation, resource }: VaultAzureAuthArgs, backend: pulumi.Input<string>) {
  const identity = federation && {
    clientId: federation.clientId,
    identityTokenAudience: federation.audience,
    identityTokenTtl: federation.ttl,
  };
  const { vaultEnvironment } = readably(() => cloudNamed(programSettings().environment?.value));
  const elsewhere = vaultEnvironment === "AzurePublicCloud" ? {} : { environment: vaultEnvironment };
  return { backend, tenantId: deployer.tenantId, resource, ...elsewhere, ...identity };
}

function roleArgs(args: VaultAzureAuthArgs, role: VaultRole, backend: pulumi.Input<string>) {
  return {
    backend,
    role: role.name,
    tokenPolicies: [...role.policies],
    tokenTtl: role.ttl,
    tokenMaxTtl: role.maxTtl,
    ...(role.bindings === undefined ? ownBindings(args) : givenBindings(role.bindings, args.identity)),
  };
}

function ownBindings({ deployer, identity, resourceGroupName }: VaultAzureAuthArgs) {
  return {
    boundSubscriptionIds: [deployer.subscriptionId],
    boundResourceGroups: [resourceGroupName],
    boundServicePrincipalIds: [identity.principalId],
  };
}

/** Just what is given: Vault from 1.20 on lets in nobody by a role without an identity, so there is always one. */
function givenBindings(bindings: NonNullable<VaultRole["bindings"]>, own: Pick<MachineIdentity, "principalId">) {
  const named = {
    boundSubscriptionIds: bindings.subscriptions,
    boundResourceGroups: bindings.resourceGroups,
    boundLocations: bindings.locations,
    boundScaleSets: bindings.scaleSets,
    boundServicePrincipalIds: bindings.servicePrincipals.map((id) => (id === OWN_IDENTITY ? own.principalId : id)),
  };
  const present = Object.entries(named).filter(([, values]) => values.length > 0);
  return Object.fromEntries(present.map(([property, values]) => [property, [...values]]));
}
