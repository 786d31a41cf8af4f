import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Application, Principal } from "../../../rehearsal/azure/cloud";
import { ask, via } from "./client";
import { assignment, GUEST, type Rig, roleId, startRig } from "./fixture";

/**
 * HashiCorp Vault's azure auth method, rule by rule, against the loopback Azure: the issuer and keys of the discovery
 * document, audience, time, the machine as Resource Manager tells it to Vault's own identity, the role's bindings.
 * Source: https://github.com/hashicorp/vault-plugin-auth-azure/blob/main/path_login.go
 */
const RESOURCE = "https://management.azure.com";

let rig: Rig;
let vaultServer: Application;

beforeAll(async () => {
  rig = await startRig();
  vaultServer = rig.cloud.directory.addApplication({ displayName: "vault", secrets: ["vault's own"] });
  const id = roleId(rig.cloud, "66666666-6666-4666-8666-666666666666");
  const actions = ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachineScaleSets/*/read"];
  const properties = { roleName: "Virtual Machine Reader", permissions: [{ actions }] };
  rig.cloud.put({ id, type: "Microsoft.Authorization/roleDefinitions", name: "reader", properties });
  const subscription = `/subscriptions/${rig.cloud.subscriptionId}`;
  rig.cloud.put(assignment(subscription, vaultServer.objectId, id));
});
afterAll(() => rig.close());

interface Role {
  subscriptions: string[];
  resourceGroups: string[];
  locations: string[];
  servicePrincipals: string[];
}

interface Login {
  jwt: string;
  subscriptionId: string;
  resourceGroup: string;
  machine: string;
}

const fetchThroughProxy: typeof fetch = async (input) => {
  const { status, text } = await ask(via(rig.azure.workstation.env), String(input));
  return new Response(text, { status });
};

async function verified(jwt: string) {
  const document = `https://login.microsoftonline.com/${rig.cloud.tenantId}/.well-known/openid-configuration`;
  const { issuer, jwks_uri: keys } = (await (await fetchThroughProxy(document)).json()) as Record<string, string>;
  const keySet = createRemoteJWKSet(new URL(keys ?? ""), { [customFetch]: fetchThroughProxy });
  const options = { issuer: issuer ?? "", audience: RESOURCE, algorithms: ["RS256"] };
  return (await jwtVerify<{ oid: string }>(jwt, keySet, options)).payload;
}

async function machineOf({ subscriptionId, resourceGroup, machine }: Login) {
  const token = await rig.tokenOf(vaultServer, `${RESOURCE}/`);
  const path = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${machine}`;
  const url = `${RESOURCE}${path}?$expand=instanceView&api-version=2022-11-01`;
  const reply = await ask(via(rig.azure.workstation.env), url, { headers: { authorization: `Bearer ${token}` } });
  if (reply.status !== 200) throw new Error(`unable to retrieve virtual machine metadata: ${reply.at("error.code")}`);
  return reply;
}

/** What `vault write auth/azure/login` decides. */
async function login(role: Role, request: Login): Promise<string> {
  const { oid } = await verified(request.jwt);
  if (!role.servicePrincipals.includes(oid)) throw new Error("service principal not authorized");
  const machine = await machineOf(request);
  const attached = Object.values(
    machine.at("identity.userAssignedIdentities") as Record<string, { principalId: string }>,
  );
  if (!attached.some(({ principalId }) => principalId === oid))
    throw new Error("token object id does not match expected identities");
  if (!role.subscriptions.includes(request.subscriptionId)) throw new Error("subscription not authorized");
  if (!role.resourceGroups.includes(request.resourceGroup)) throw new Error("resource group not authorized");
  if (!role.locations.includes(String(machine.at("location")))) throw new Error("location not authorized");
  return oid;
}

function role(change: Partial<Role> = {}): Role {
  const bound = { subscriptions: [rig.cloud.subscriptionId], resourceGroups: ["rg"], locations: ["westeurope"] };
  return { ...bound, servicePrincipals: [GUEST.principalId], ...change };
}

/** A login as the agent on the machine makes it. */
async function request(change: Partial<Login> = {}, audience = RESOURCE): Promise<Login> {
  const machine = await rig.azure.bootMachine(rig.ids.machine);
  const url = `http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${audience}`;
  const reply = await ask(via(machine.env), url, { headers: { metadata: "true" } });
  await machine.close();
  const jwt = String(reply.at("access_token"));
  return { jwt, subscriptionId: rig.cloud.subscriptionId, resourceGroup: "rg", machine: "web", ...change };
}

function guest(): Principal {
  return rig.guest();
}

describe("Vault's login rules", () => {
  it("accept the machine's own identity token", async () => {
    expect(await login(role(), await request())).toBe(GUEST.principalId);
  });

  it.each<[title: string, act: () => Promise<string>, reason: RegExp]>([
    [
      "a token of another audience",
      async () => login(role(), await request({}, "https://vault.azure.net")),
      /unexpected "aud" claim value/,
    ],
    [
      "a token of another tenant",
      async () => {
        const foreign = { ...guest(), tenantId: "99999999-9999-4999-8999-999999999999" };
        return login(role(), await request({ jwt: await rig.tokenOf(foreign, RESOURCE) }));
      },
      /unexpected "iss" claim value/,
    ],
    [
      "an expired token",
      async () => login(role(), await request({ jwt: await rig.tokenOf(guest(), RESOURCE, { lifetimeSeconds: -60 }) })),
      /"exp" claim timestamp check failed/,
    ],
    [
      "a forged token",
      async () => {
        const { jwt } = await request();
        return login(role(), await request({ jwt: `${jwt.slice(0, -8)}AAAAAAAA` }));
      },
      /signature verification failed/,
    ],
    [
      "another principal",
      async () => login(role(), await request({ jwt: await rig.tokenOf(vaultServer, RESOURCE) })),
      /service principal not authorized/,
    ],
    [
      "an identity that the named machine has not",
      async () => {
        const servicePrincipals = [vaultServer.objectId];
        return login(role({ servicePrincipals }), await request({ jwt: await rig.tokenOf(vaultServer, RESOURCE) }));
      },
      /token object id does not match expected identities/,
    ],
    [
      "a role bound to another group",
      async () => login(role({ resourceGroups: ["other"] }), await request()),
      /resource group not authorized/,
    ],
    [
      "a role bound to another subscription",
      async () => login(role({ subscriptions: ["other"] }), await request()),
      /subscription not authorized/,
    ],
    [
      "a role bound to another place",
      async () => login(role({ locations: ["northeurope"] }), await request()),
      /location not authorized/,
    ],
    [
      "a claim to another group",
      async () => login(role(), await request({ resourceGroup: "other" })),
      /metadata: ResourceNotFound/,
    ],
    [
      "a claim to another subscription",
      async () => login(role(), await request({ subscriptionId: GUEST.principalId })),
      /metadata: AuthorizationFailed/,
    ],
  ])("refuse %s", async (_title, act, reason) => {
    await expect(act()).rejects.toThrow(reason);
  });

  it("need the custom role: without it Vault cannot look", async () => {
    const [held] = rig.cloud
      .list({ type: "Microsoft.Authorization/roleAssignments" })
      .filter(({ properties }) => properties.principalId === vaultServer.objectId);
    rig.cloud.remove(held?.id ?? "");
    await expect(login(role(), await request())).rejects.toThrow("metadata: AuthorizationFailed");
    if (held) rig.cloud.put(held);
  });
});
