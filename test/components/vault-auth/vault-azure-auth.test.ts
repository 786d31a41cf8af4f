import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { DEFAULT_VAULT_AUTH } from "../../../components/vault-auth/vault-auth";
import { VaultAzureAuth, type VaultAzureAuthArgs } from "../../../components/vault-auth/vault-azure-auth";
import { OWN_IDENTITY } from "../../../components/vault-auth/vault-bindings";
import { CLIENT, find, PRINCIPAL_ID, resolved, secretValue, settled, startMocks } from "../pulumi-mocks";

const NODE = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const OTHER_NODE = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const OTHER_SUBSCRIPTION = "77777777-7777-4777-8777-777777777777";
const SCOPE = `/subscriptions/${CLIENT.subscriptionId}`;
const ROLE = { name: "web", policies: ["web-read"], ttl: 600, maxTtl: 3600 };

async function make(args: Partial<VaultAzureAuthArgs> = {}) {
  const registrations = await startMocks();
  const auth = new VaultAzureAuth("vault-auth", {
    stack: "dev",
    resourceGroupName: "sealed-onion-dev",
    identity: { principalId: pulumi.output(PRINCIPAL_ID) },
    deployer: { tenantId: pulumi.output(CLIENT.tenantId), subscriptionId: pulumi.output(CLIENT.subscriptionId) },
    address: "https://vault.example.com:8200",
    principals: [NODE],
    subscriptions: [],
    policies: {},
    roles: [ROLE],
    agentRole: "web",
    ...DEFAULT_VAULT_AUTH,
    ...args,
  });
  await settled();
  return { auth, registrations };
}

describe("Vault's azure auth", () => {
  it("lets Vault look up machines, and nothing else", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-auth-reader").inputs).toEqual({
      scope: SCOPE,
      roleDefinitionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      roleName: "Virtual Machine Reader (sealed-onion-dev)",
      description: "Lets HashiCorp Vault look up the machines that log in to it",
      roleType: "CustomRole",
      assignableScopes: [SCOPE],
      permissions: [
        {
          actions: ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachineScaleSets/*/read"],
          notActions: [],
          dataActions: [],
          notDataActions: [],
        },
      ],
    });
  });

  it("gives that role to Vault's own identity, which is a program", async () => {
    const { registrations } = await make();
    const guid = find(registrations, "vault-auth-reader").inputs.roleDefinitionId;
    expect(find(registrations, `vault-auth-reader-${NODE}`).inputs).toEqual({
      scope: SCOPE,
      principalId: NODE,
      principalType: "ServicePrincipal",
      roleDefinitionId: `${SCOPE}/providers/Microsoft.Authorization/roleDefinitions/${guid}`,
      roleAssignmentName: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("gives it to every node's identity in every subscription", async () => {
    const subscriptions = [CLIENT.subscriptionId, OTHER_SUBSCRIPTION];
    const { registrations } = await make({ principals: [NODE, OTHER_NODE], subscriptions });
    const assigned = registrations.filter(({ type }) => type === "azure-native:authorization:RoleAssignment");
    expect(assigned.map(({ inputs }) => [inputs.scope, inputs.principalId])).toEqual([
      [SCOPE, NODE],
      [SCOPE, OTHER_NODE],
      [`/subscriptions/${OTHER_SUBSCRIPTION}`, NODE],
      [`/subscriptions/${OTHER_SUBSCRIPTION}`, OTHER_NODE],
    ]);
    expect(new Set(assigned.map(({ inputs }) => inputs.roleAssignmentName)).size).toBe(4);
    expect(find(registrations, "vault-auth-reader").inputs.assignableScopes).toEqual([
      SCOPE,
      `/subscriptions/${OTHER_SUBSCRIPTION}`,
    ]);
  });

  it("mounts the method with leases of an hour", async () => {
    const { registrations, auth } = await make();
    expect(find(registrations, "vault-auth-backend").inputs).toEqual({
      type: "azure",
      path: "azure",
      description: "machines by their managed identity",
      tune: { defaultLeaseTtl: "3600s", maxLeaseTtl: "3600s" },
    });
    expect(await resolved(auth.mount)).toBe("azure");
  });

  it("is configured without any client secret", async () => {
    const { registrations } = await make();
    const { tenantId, ...inputs } = find(registrations, "vault-auth-config").inputs;
    expect(inputs).toEqual({ backend: "azure", resource: "https://management.azure.com/" });
    // The SDK takes a tenant's id for a secret.
    expect(secretValue(tenantId)).toBe(CLIENT.tenantId);
  });

  it("binds a role to the stack's own VM, if nothing else is said", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-auth-web-role").inputs).toEqual({
      backend: "azure",
      role: "web",
      tokenPolicies: ["web-read"],
      tokenTtl: 600,
      tokenMaxTtl: 3600,
      boundSubscriptionIds: [CLIENT.subscriptionId],
      boundResourceGroups: ["sealed-onion-dev"],
      boundServicePrincipalIds: [PRINCIPAL_ID],
    });
  });
});

describe("its dials", () => {
  it("mount, description, lease and resource are passed on", async () => {
    const dials = {
      mount: "onion/azure",
      description: "onions",
      leaseSeconds: 600,
      resource: "https://vault.example.com",
    };
    const { registrations } = await make(dials);
    expect(find(registrations, "vault-auth-backend").inputs).toMatchObject({
      path: "onion/azure",
      description: "onions",
      tune: { defaultLeaseTtl: "600s", maxLeaseTtl: "600s" },
    });
    expect(find(registrations, "vault-auth-config").inputs).toMatchObject({
      backend: "onion/azure",
      resource: "https://vault.example.com",
    });
  });

  it("federation lets Vault prove itself by a token that it signs", async () => {
    const federation = { clientId: NODE, audience: "vault.example.com", ttl: 1800 };
    const { registrations } = await make({ federation });
    const { inputs } = find(registrations, "vault-auth-config");
    expect(inputs).toMatchObject({ identityTokenAudience: "vault.example.com", identityTokenTtl: 1800 });
    expect(secretValue(inputs.clientId)).toBe(NODE);
    expect(inputs).not.toHaveProperty("clientSecret");
  });

  it("policies are written first: one that Vault refuses lets nobody log in", async () => {
    const policies = { "web-read": 'path "secret/web" { capabilities = ["read"] }' };
    const { registrations } = await make({ policies });
    expect(find(registrations, "vault-auth-web-read-policy").inputs).toEqual({
      name: "web-read",
      policy: policies["web-read"],
    });
    expect(find(registrations, "vault-auth-backend").options.dependsOn).toEqual(["vault-auth-web-read-policy"]);
    expect(find(registrations, "vault-auth-web-role").options.dependsOn).toEqual(
      expect.arrayContaining(["vault-auth-backend", "vault-auth-config", `vault-auth-reader-${NODE}`]),
    );
  });

  it("bindings that are given are all that a role is bound to", async () => {
    const bindings = {
      subscriptions: [],
      resourceGroups: ["workers"],
      locations: ["westeurope"],
      scaleSets: ["worker-set"],
      servicePrincipals: [OTHER_NODE, OWN_IDENTITY],
    };
    const { registrations } = await make({ roles: [{ ...ROLE, bindings }] });
    const { inputs } = find(registrations, "vault-auth-web-role");
    expect(inputs).toMatchObject({
      boundResourceGroups: ["workers"],
      boundLocations: ["westeurope"],
      boundScaleSets: ["worker-set"],
      boundServicePrincipalIds: [OTHER_NODE, PRINCIPAL_ID],
    });
    expect(inputs).not.toHaveProperty("boundSubscriptionIds");
  });

  it("roles are one a workload", async () => {
    const { registrations } = await make({ roles: [ROLE, { ...ROLE, name: "mail" }] });
    const roles = registrations.filter(({ type }) => type === "vault:azure/authBackendRole:AuthBackendRole");
    expect(roles.map(({ name }) => name)).toEqual(["vault-auth-web-role", "vault-auth-mail-role"]);
  });
});
