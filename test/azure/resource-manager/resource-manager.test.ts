import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, type Reply, via } from "../client";
import type { Principal } from "../cloud";
import { assignment, GUEST, type Rig, roleId, startRig } from "../fixture";

const AUDIENCE = "https://management.azure.com/";
const API = "?api-version=2024-07-01";

let rig: Rig;
let vaultServer: Principal;

beforeAll(async () => {
  rig = await startRig();
  vaultServer = rig.cloud.directory.addApplication({ displayName: "vault" });
});
afterAll(() => rig.close());
beforeEach(() => {
  const type = "Microsoft.Authorization/roleAssignments";
  for (const { id } of rig.cloud.list({ type, under: rig.ids.group })) rig.cloud.remove(id);
});

async function read(path: string, principal = rig.workstation(), audience = AUDIENCE, method = "GET"): Promise<Reply> {
  const authorization = `Bearer ${await rig.tokenOf(principal, audience)}`;
  return ask(via(rig.azure.workstation.env), `https://management.azure.com${path}`, {
    method,
    headers: { authorization },
  });
}

/** The custom role that HashiCorp Vault's azure auth method needs. */
function machineReader(): string {
  const id = roleId(rig.cloud, "66666666-6666-4666-8666-666666666666");
  const actions = ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachineScaleSets/*/read"];
  const properties = { roleName: "Virtual Machine Reader", permissions: [{ actions }] };
  rig.cloud.put({ id, type: "Microsoft.Authorization/roleDefinitions", name: "reader", properties });
  return id;
}

describe("a virtual machine", () => {
  it("is told to anyone who may read it, with its identity and without its user data", async () => {
    const reply = await read(rig.ids.machine + API);
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      id: rig.ids.machine,
      location: "westeurope",
      identity: { type: "UserAssigned", userAssignedIdentities: { [rig.ids.guest]: GUEST } },
    });
    expect(reply.at("properties.userData")).toBeUndefined();
    expect((await read(`${rig.ids.machine}${API}&$expand=userData`)).at("properties.userData")).toBe(
      "c2VhbGVkIGZpbGVz",
    );
  });

  it("says its power and shows its console to those who ask", async () => {
    const view = async () =>
      (await read(`${rig.ids.machine}${API}&$expand=instanceView`)).at("properties.instanceView");
    expect(await view()).toMatchObject({
      statuses: [{ code: "ProvisioningState/succeeded" }, { code: "PowerState/running" }],
    });
    const machine = rig.cloud.get(rig.ids.machine);
    if (machine === undefined) throw new Error("no machine");
    rig.cloud.put({ ...machine, state: { power: "deallocated", console: "sealed-onion: hello" } });
    expect(await view()).toMatchObject({ statuses: [expect.anything(), { code: "PowerState/deallocated" }] });
    const log = await read(`${rig.ids.machine}/retrieveBootDiagnosticsData${API}`, undefined, undefined, "POST");
    const at = String(log.at("serialConsoleLogBlobUri"));
    const environment = via(rig.azure.workstation.env);
    expect((await ask(environment, at)).text).toBe("sealed-onion: hello");
    expect((await ask(environment, at.replace("sig=", "sig=A"))).status).toBe(403);
    expect((await read(rig.ids.machine + API)).json).not.toHaveProperty("state");
    rig.cloud.put(machine);
  });

  it("is found without case", async () => {
    expect((await read(rig.ids.machine.toLowerCase() + API)).status).toBe(200);
  });

  it("is read by a custom role whose pattern covers it", async () => {
    expect((await read(rig.ids.machine + API, vaultServer)).status).toBe(403);
    rig.cloud.put(assignment(rig.ids.group, vaultServer.objectId, machineReader()));
    expect((await read(rig.ids.machine + API, vaultServer)).status).toBe(200);
    expect((await read(rig.ids.vault + API, vaultServer)).status).toBe(403);
  });

  it("is denied to others, in Azure's words", async () => {
    const reply = await read(rig.ids.machine + API, rig.guest());
    expect([reply.status, reply.json]).toEqual([
      403,
      {
        error: {
          code: "AuthorizationFailed",
          message: `The client '${GUEST.clientId}' with object id '${GUEST.principalId}' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/read' over scope '${rig.ids.machine}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
        },
      },
    ]);
  });
});

describe("listings", () => {
  it("hold the resources of a type under a scope", async () => {
    const path = `${rig.ids.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities${API}`;
    const names = ((await read(path)).at("value") as { name: string }[]).map((one) => one.name);
    expect(names).toEqual(["guest", "other"]);
    const all = `/subscriptions/${rig.cloud.subscriptionId}/providers/Microsoft.Compute/virtualMachines${API}`;
    expect((await read(all)).at("value.0.name")).toBe("web");
  });
});

describe("refusals", () => {
  it.each<[string, () => Promise<Reply>, number, string]>([
    ["a resource that is not there", () => read(`${rig.ids.machine}-2${API}`), 404, "ResourceNotFound"],
    ["no api-version", () => read(rig.ids.machine), 400, "MissingApiVersionParameter"],
    ["a write", () => read(rig.ids.machine + API, undefined, undefined, "DELETE"), 405, "UnsupportedMethod"],
    [
      "another audience",
      () => read(rig.ids.machine + API, undefined, "https://vault.azure.net"),
      401,
      "InvalidAuthenticationTokenAudience",
    ],
    [
      "another tenant",
      () => read(rig.ids.machine + API, { ...vaultServer, tenantId: "99999999-9999-4999-8999-999999999999" }),
      401,
      "InvalidAuthenticationTokenTenant",
    ],
    ["what is no resource", () => read(`/providers${API}`), 404, "NotFound"],
  ])("%s", async (_title, act, status, code) => {
    const reply = await act();
    expect([reply.status, reply.at("error.code")]).toEqual([status, code]);
  });

  it("challenges a request without a token", async () => {
    const reply = await ask(via(rig.azure.workstation.env), `https://management.azure.com${rig.ids.machine}${API}`);
    expect([reply.status, reply.at("error.code")]).toEqual([401, "AuthenticationFailed"]);
    expect(reply.headers["www-authenticate"]).toContain(`https://login.microsoftonline.com/${rig.cloud.tenantId}`);
  });

  it("calls an expired token expired", async () => {
    const token = await rig.tokenOf(rig.workstation(), AUDIENCE, { lifetimeSeconds: -10 });
    const headers = { authorization: `Bearer ${token}` };
    const reply = await ask(via(rig.azure.workstation.env), `https://management.azure.com${rig.ids.machine}${API}`, {
      headers,
    });
    expect([reply.status, reply.at("error.code")]).toEqual([401, "ExpiredAuthenticationToken"]);
  });
});
