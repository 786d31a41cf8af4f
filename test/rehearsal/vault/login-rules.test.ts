import { assignment, GUEST, identity, machine, OTHER, type Rig, roleId, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureSeenBy, machineToken } from "./azure-view";
import { type AzureView, checkLogin, type LoginRequest, type LoginRules } from "./login-rules";

const resource = "https://management.azure.com/";
const reader = "99999999-9999-4999-8999-999999999999";

let rig: Rig;
let guest: Machine;
let seen: AzureView;
let login: LoginRequest;
let rules: LoginRules;

/** As Resource Manager shows a machine: with the identity's ids. */
function machineWith(id: string, ids: { principalId: string; clientId: string }) {
  return machine(rig.cloud, [id], { identity: { type: "UserAssigned", userAssignedIdentities: { [id]: ids } } });
}

/** The guest `web`, and a Vault node `vault` whose identity has the role that VaultAzureAuth defines. */
beforeAll(async () => {
  rig = await startRig();
  const { cloud, ids } = rig;
  const scope = `/subscriptions/${cloud.subscriptionId}`;
  const actions = ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachineScaleSets/*/read"];
  cloud.put({
    id: roleId(cloud, reader),
    type: "Microsoft.Authorization/roleDefinitions",
    name: reader,
    properties: {
      roleName: "Virtual Machine Reader",
      type: "CustomRole",
      assignableScopes: [scope],
      permissions: [{ actions }],
    },
  });
  cloud.put(assignment(scope, OTHER.principalId, roleId(cloud, reader)));
  const nodeId = `${ids.group}/providers/Microsoft.Compute/virtualMachines/vault`;
  cloud.put(machine(cloud, [ids.other], { id: nodeId, name: "vault" }));
  cloud.put(machineWith(ids.guest, GUEST));
  guest = await rig.azure.bootMachine(ids.machine);
  const node = await rig.azure.bootMachine(nodeId);
  seen = await azureSeenBy(node.env, cloud.tenantId);
  const jwt = await machineToken(guest.env, resource);
  login = { jwt, subscriptionId: cloud.subscriptionId, resourceGroup: "rg", vmName: "web" };
  rules = {
    resource,
    servicePrincipals: [GUEST.principalId],
    subscriptions: [cloud.subscriptionId],
    resourceGroups: ["rg"],
    locations: [],
  };
});
afterAll(() => rig.close());

describe("a login at Vault with the VM's identity token", () => {
  it("is accepted by the rules of Vault's azure auth method", async () => {
    await expect(checkLogin(login, rules, seen)).resolves.toBeUndefined();
    await expect(checkLogin(login, { ...rules, locations: ["westeurope"] }, seen)).resolves.toBeUndefined();
  });

  it.each<[string, Partial<LoginRules>, string]>([
    ["of another resource group", { resourceGroups: ["elsewhere"] }, "resource group not authorized"],
    ["of another subscription", { subscriptions: ["0-0"] }, "subscription not authorized"],
    ["in another region", { locations: ["northeurope"] }, "location not authorized"],
    [
      "of another identity",
      { servicePrincipals: [OTHER.principalId] },
      `service principal not authorized: ${GUEST.principalId}`,
    ],
    [
      "whose role binds no identity",
      { servicePrincipals: [] },
      "expected specific bound_group_ids or bound_service_principal_ids",
    ],
    ["for another audience", { resource: "https://vault.azure.net" }, 'unexpected "aud" claim value'],
  ])("is refused to a machine %s", async (_, change, reason) => {
    await expect(checkLogin(login, { ...rules, ...change }, seen)).rejects.toThrow(reason);
  });

  it("is refused to a token that was made for Key Vault and is replayed", async () => {
    const jwt = await machineToken(guest.env, "https://vault.azure.net");
    await expect(checkLogin({ ...login, jwt }, rules, seen)).rejects.toThrow('unexpected "aud" claim value');
  });

  it("is refused to an expired token", async () => {
    const jwt = await rig.tokenOf(rig.guest(), resource, { lifetimeSeconds: -10 });
    await expect(checkLogin({ ...login, jwt }, rules, seen)).rejects.toThrow('"exp" claim timestamp check failed');
  });

  it("is refused to a token of another tenant", async () => {
    const foreign = rig.cloud.directory.addApplication({
      displayName: "foreign",
      tenantId: "88888888-8888-4888-8888-888888888888",
    });
    const jwt = await rig.tokenOf(foreign, resource);
    await expect(checkLogin({ ...login, jwt }, rules, seen)).rejects.toThrow('unexpected "iss" claim value');
  });

  it("is refused to a token that somebody else has signed", async () => {
    const other = await startRig({ tenantId: rig.cloud.tenantId });
    const jwt = await other.tokenOf(other.guest(), resource);
    await other.close();
    await expect(checkLogin({ ...login, jwt }, rules, seen)).rejects.toThrow(
      /signature verification failed|no applicable key/,
    );
  });

  it("is refused to a forged token", async () => {
    const jwt = `${login.jwt.slice(0, -8)}AAAAAAAA`;
    await expect(checkLogin({ ...login, jwt }, rules, seen)).rejects.toThrow("signature verification failed");
  });

  it("is refused to a token of another principal, and to one that no machine's identity bears", async () => {
    const application = rig.cloud.directory.addApplication({ displayName: "application" });
    const jwt = await rig.tokenOf(application, resource);
    const { objectId } = application;
    await expect(checkLogin({ ...login, jwt }, rules, seen)).rejects.toThrow(
      `service principal not authorized: ${objectId}`,
    );
    const bound = { ...rules, servicePrincipals: [objectId] };
    await expect(checkLogin({ ...login, jwt }, bound, seen)).rejects.toThrow("claim does not match vm_name");
  });

  it.each<[string, Partial<LoginRequest>, string]>([
    ["group", { resourceGroup: "other" }, "metadata: ResourceNotFound"],
    ["subscription", { subscriptionId: GUEST.principalId }, "metadata: AuthorizationFailed"],
  ])("is refused to a machine that claims to be in another %s", async (_, claim, reason) => {
    await expect(checkLogin({ ...login, ...claim }, rules, seen)).rejects.toThrow(reason);
  });

  it("is refused to a machine that claims to be another one", async () => {
    await expect(checkLogin({ ...login, vmName: "vault" }, rules, seen)).rejects.toThrow(
      "claim does not match vm_name",
    );
  });

  it("is refused as long as Vault's own identity may not look up machines", async () => {
    const scope = `/subscriptions/${rig.cloud.subscriptionId}`;
    const granted = assignment(scope, OTHER.principalId, roleId(rig.cloud, reader));
    rig.cloud.remove(granted.id);
    await expect(checkLogin(login, rules, seen)).rejects.toThrow(
      "unable to retrieve virtual machine metadata: AuthorizationFailed",
    );
    rig.cloud.put(granted);
  });

  it("is refused to an identity that was taken off the machine", async () => {
    const { cloud, ids } = rig;
    const third = `${ids.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/third`;
    const principal = {
      principalId: "77777777-7777-4777-8777-777777777777",
      clientId: "66666666-6666-4666-8666-666666666666",
    };
    cloud.put(identity(third, principal, cloud.tenantId));
    cloud.put(machineWith(third, principal));
    await expect(checkLogin(login, rules, seen)).rejects.toThrow("match expected identities");
    cloud.put(machineWith(ids.guest, GUEST));
  });
});
