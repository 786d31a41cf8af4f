import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, type Reply, via } from "../client";
import { GUEST, machine, OTHER, type Rig, startRig } from "../fixture";
import type { Machine } from "./machine";

const TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
const SYSTEM = "88888888-8888-4888-8888-888888888888";

let rig: Rig;
let web: Machine;

beforeAll(async () => {
  rig = await startRig();
  web = await rig.azure.bootMachine(rig.ids.machine);
});
afterAll(() => rig.close());
beforeEach(() => {
  rig.cloud.put(machine(rig.cloud, [rig.ids.guest]));
});

function imds(path: string, headers: Record<string, string> = { metadata: "true" }, method = "GET"): Promise<Reply> {
  return ask(via(web.env), `http://169.254.169.254${path}`, { headers, method });
}

function system(assigned: string[]) {
  const users = Object.fromEntries(assigned.map((id) => [id, {}]));
  const type = "SystemAssigned, UserAssigned";
  return machine(rig.cloud, assigned, { identity: { type, principalId: SYSTEM, userAssignedIdentities: users } });
}

describe("identity tokens", () => {
  it("have the form that clients read, numbers as texts", async () => {
    const reply = await imds(TOKEN);
    const { access_token: token, ...rest } = reply.json as Record<string, string>;
    const claims = decodeJwt(token ?? "");
    expect(reply.status).toBe(200);
    expect(rest).toEqual({
      client_id: GUEST.clientId,
      expires_in: "86399",
      expires_on: String(claims.exp),
      ext_expires_in: "86399",
      not_before: String(claims.nbf),
      resource: "https://vault.azure.net",
      token_type: "Bearer",
    });
  });

  it("say who the machine is: audience, issuer, object, tenant, identity and machine", async () => {
    const { access_token: token } = (await imds(TOKEN)).json as { access_token: string };
    expect(decodeJwt(token)).toMatchObject({
      aud: "https://vault.azure.net",
      iss: `https://sts.windows.net/${rig.cloud.tenantId}/`,
      appid: GUEST.clientId,
      oid: GUEST.principalId,
      sub: GUEST.principalId,
      tid: rig.cloud.tenantId,
      ver: "1.0",
      xms_mirid: rig.ids.guest,
      xms_az_rid: rig.ids.machine,
    });
  });

  it("keep the resource as it was asked for, slash and all", async () => {
    const reply = await imds(
      "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/",
    );
    expect(decodeJwt(String(reply.at("access_token"))).aud).toBe("https://management.azure.com/");
  });

  const attached: [title: string, assigned: ("guest" | "other")[], own: boolean, query: string, expected: string][] = [
    ["the only one", ["guest"], false, "", GUEST.principalId],
    ["the machine's own where it has one", ["guest"], true, "", SYSTEM],
    ["by client id", ["guest", "other"], false, `&client_id=${OTHER.clientId}`, OTHER.principalId],
    [
      "by client id without case",
      ["guest", "other"],
      true,
      `&client_id=${OTHER.clientId.toUpperCase()}`,
      OTHER.principalId,
    ],
    ["by object id", ["guest", "other"], false, `&object_id=${OTHER.principalId}`, OTHER.principalId],
    ["by resource id", ["guest", "other"], true, "&mi_res_id=OTHER", OTHER.principalId],
    ["by the older name of the resource id", ["guest", "other"], false, "&msi_res_id=OTHER", OTHER.principalId],
  ];

  it.each(attached)("are for %s", async (_title, assigned, own, query, expected) => {
    const ids = assigned.map((one) => rig.ids[one]);
    rig.cloud.put(own ? system(ids) : machine(rig.cloud, ids));
    const reply = await imds(TOKEN + query.replace("OTHER", encodeURIComponent(rig.ids.other)));
    expect(decodeJwt(String(reply.at("access_token"))).oid).toBe(expected);
  });

  const MULTIPLE =
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request";
  const refusals: [title: string, assigned: ("guest" | "other")[], path: string, text: string][] = [
    ["two identities and none named", ["guest", "other"], TOKEN, MULTIPLE],
    ["an identity that is not attached", ["guest"], `${TOKEN}&client_id=${OTHER.clientId}`, "Identity not found"],
    ["no identity at all", [], TOKEN, "Identity not found"],
    [
      "two names at once",
      ["guest"],
      `${TOKEN}&client_id=x&object_id=y`,
      "Only one of client_id, object_id and mi_res_id may be specified",
    ],
    [
      "no resource",
      ["guest"],
      "/metadata/identity/oauth2/token?api-version=2018-02-01",
      "Required query variable 'resource' is missing",
    ],
    [
      "no api-version",
      ["guest"],
      "/metadata/identity/oauth2/token?resource=x",
      "Required query variable 'api-version' is missing",
    ],
    [
      "an old api-version",
      ["guest"],
      "/metadata/identity/oauth2/token?resource=x&api-version=2017-01-01",
      "Unsupported api-version '2017-01-01'",
    ],
  ];

  it.each(refusals)("are refused for %s", async (_title, assigned, path, text) => {
    rig.cloud.put(
      machine(
        rig.cloud,
        assigned.map((one) => rig.ids[one]),
      ),
    );
    const reply = await imds(path);
    expect([reply.status, reply.json]).toEqual([400, { error: "invalid_request", error_description: text }]);
  });

  it("are not given for an identity whose resource was deleted", async () => {
    const removed = rig.cloud.remove(rig.ids.guest);
    expect((await imds(TOKEN)).at("error_description")).toBe("Identity not found");
    for (const resource of removed) rig.cloud.put(resource);
  });
});

describe("requests that may have been redirected", () => {
  it.each([
    [
      "without the Metadata header",
      {},
      { error: "invalid_request", error_description: "Required metadata header not specified" },
    ],
    [
      "with a false one",
      { metadata: "false" },
      { error: "invalid_request", error_description: "Required metadata header not specified" },
    ],
    [
      "through another proxy",
      { metadata: "true", "x-forwarded-for": "1.2.3.4" },
      { error: "Bad request. X-Forwarded-For header is not allowed" },
    ],
  ])("are refused: %s", async (_title, headers, body) => {
    const reply = await imds(TOKEN, headers as Record<string, string>);
    expect([reply.status, reply.json]).toEqual([400, body]);
  });

  it("cannot post", async () => {
    expect((await imds(TOKEN, { metadata: "true" }, "POST")).status).toBe(405);
  });
});

describe("instance metadata", () => {
  const version = "api-version=2021-02-01";

  it("tells the machine's facts as one document", async () => {
    const { json } = await imds(`/metadata/instance?${version}`);
    expect(json).toMatchObject({
      compute: {
        location: "westeurope",
        name: "web",
        osProfile: { adminUsername: "operator", computerName: "web", disablePasswordAuthentication: "true" },
        publicKeys: [{ keyData: "ssh-ed25519 AAAAC3 operator", path: "/home/operator/.ssh/authorized_keys" }],
        resourceGroupName: "rg",
        resourceId: rig.ids.machine,
        subscriptionId: rig.cloud.subscriptionId,
        tags: "stack:dev",
        userData: Buffer.from("sealed files").toString("base64"),
        vmSize: "Standard_B2s",
      },
      network: { interface: [{ macAddress: "000D3A000004" }] },
    });
  });

  it.each([
    ["a text", `/metadata/instance/compute/name?${version}&format=text`, "web"],
    ["user data, base64", `/metadata/instance/compute/userData?${version}&format=text`, "c2VhbGVkIGZpbGVz"],
    [
      "an item of a list",
      `/metadata/instance/compute/publicKeys/0/keyData?${version}&format=text`,
      "ssh-ed25519 AAAAC3 operator",
    ],
    ["the names below a branch", `/metadata/instance?${version}&format=text`, "compute/\nnetwork/"],
    ["an older version", "/metadata/instance/compute/vmSize?api-version=2017-08-01&format=text", "Standard_B2s"],
  ])("answers a path: %s", async (_title, path, text) => {
    const reply = await imds(path);
    expect([reply.status, reply.text]).toEqual([200, text]);
  });

  it.each([
    ["a leaf as JSON", `/metadata/instance/compute/name?${version}`, 400],
    ["what is not there", `/metadata/instance/compute/secrets?${version}`, 404],
    ["another part of the service", `/metadata/attested/document?${version}`, 404],
    ["no api-version", "/metadata/instance", 400],
    ["an api-version nobody knows", "/metadata/instance?api-version=2017-07-01", 400],
  ])("refuses %s", async (_title, path, status) => {
    expect((await imds(path)).status).toBe(status);
  });

  it("names the newest versions where none was asked for", async () => {
    expect((await imds("/metadata")).at("newest-versions")).toEqual(["2025-04-07", "2024-07-17", "2024-03-15"]);
    expect((await imds("/metadata/versions")).at("apiVersions")).toContain("2018-02-01");
  });

  it("shows changed user data at once", async () => {
    const changed = machine(rig.cloud, [rig.ids.guest]);
    rig.cloud.put({ ...changed, properties: { ...changed.properties, userData: "bmV3" } });
    expect((await imds(`/metadata/instance/compute/userData?${version}&format=text`)).text).toBe("bmV3");
  });
});

it("is not there for the workstation", async () => {
  const reply = await ask(via(rig.azure.workstation.env), `http://169.254.169.254${TOKEN}`, {
    headers: { metadata: "true" },
  });
  expect([reply.status, reply.text]).toEqual([
    502,
    "no service of the loopback Azure answers for 169.254.169.254; nothing was sent to a network\n",
  ]);
});

it("refuses to boot what is no machine of the cloud", async () => {
  await expect(rig.azure.bootMachine(`${rig.ids.machine}-2`)).rejects.toThrow(
    `no virtual machine ${rig.ids.machine}-2 in this cloud`,
  );
});
