import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, type Reply, via } from "../client";
import { assignment, GUEST, policy, type Rig, roleId, sealKey, startRig, VAULT_URL, vault } from "../fixture";

const CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424";
const AUDIENCE = "https://vault.azure.net";

let rig: Rig;
let now: number;

beforeAll(async () => {
  rig = await startRig({ now: () => now ?? Date.now() });
});
afterAll(() => rig.close());
beforeEach(() => {
  now = Date.now();
  const { cloud, ids, azure } = rig;
  azure.faults.clear();
  for (const one of cloud.list({ type: "Microsoft.Authorization/roleAssignments", under: ids.group }))
    cloud.remove(one.id);
  cloud.put(vault(cloud));
  cloud.keys.purgeVault(ids.vault);
});

function kids(reply: Reply): string[] {
  return (reply.at("value") as { kid: string }[]).map((one) => one.kid);
}

interface Call {
  path?: string;
  method?: string;
  token?: string | undefined;
  body?: object | string;
  query?: string;
}

function call(what: Call): Promise<Reply> {
  const { path = "/keys/seal", method = "GET", token, body, query = "?api-version=7.6" } = what;
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    "content-type": "application/json",
  };
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const more = text === undefined ? {} : { body: text };
  return ask(via(rig.azure.workstation.env), VAULT_URL + path + query, { method, headers, ...more });
}

function operate(verb: string, token: string, value: string, version: string, alg = "RSA-OAEP-256"): Promise<Reply> {
  return call({ method: "POST", path: `/keys/seal/${version}/${verb}`, token, body: { alg, value } });
}

function grant(...policies: object[]): void {
  rig.cloud.put(vault(rig.cloud, { accessPolicies: policies }));
}

async function workstationToken(): Promise<string> {
  return rig.tokenOf(rig.workstation(), AUDIENCE);
}

describe("the challenge", () => {
  it("names tenant and resource, as clients need them to get a token", async () => {
    const reply = await call({});
    expect(reply.status).toBe(401);
    expect(reply.headers["www-authenticate"]).toBe(
      `Bearer authorization="https://login.microsoftonline.com/${rig.cloud.tenantId}", resource="https://vault.azure.net"`,
    );
    expect(reply.json).toEqual({
      error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." },
    });
  });

  it("refuses tokens of another audience, tenant, key or time, each with its own text", async () => {
    const me = rig.workstation();
    const foreign = rig.cloud.directory.addApplication({
      displayName: "x",
      tenantId: "99999999-9999-4999-8999-999999999999",
    });
    const other = await startRig();
    const unknownKey = await other.azure.tokens.issue({ principal: me, audience: AUDIENCE });
    await other.close();
    const cases: [token: string, message: RegExp][] = [
      [
        await rig.tokenOf(me, "https://management.azure.com/"),
        /^AKV10022: Invalid audience\. Expected https:\/\/vault\.azure\.net, found: https:\/\/management\.azure\.com\/\.$/,
      ],
      [
        await rig.tokenOf(foreign, AUDIENCE),
        /^AKV10032: Invalid issuer\. Expected one of https:\/\/sts\.windows\.net\/.*, found https:\/\/sts\.windows\.net\/99999999-9999-4999-8999-999999999999\/\.$/,
      ],
      [unknownKey.token, /^AKV10046/],
      [await rig.tokenOf(me, AUDIENCE, { lifetimeSeconds: -10 }), /IDX10223/],
      ["not.a.token", /^AKV10000/],
    ];
    for (const [token, message] of cases) {
      const reply = await call({ token });
      expect([reply.status, reply.at("error.code")]).toEqual([401, "Unauthorized"]);
      expect(reply.at("error.message")).toMatch(message);
    }
  });

  it("refuses a token that was good a moment ago once it has expired", async () => {
    grant(policy(rig.cloud, rig.workstation().objectId, "get"));
    await sealKey(rig.cloud);
    const token = await rig.tokenOf(rig.workstation(), AUDIENCE, { lifetimeSeconds: 60 });
    expect((await call({ token })).status).toBe(200);
    now += 61_000;
    expect((await call({ token })).status).toBe(401);
  });
});

describe("access policies", () => {
  it("let a principal do exactly what they name", async () => {
    const { objectId } = rig.workstation();
    const token = await workstationToken();
    const { version } = await sealKey(rig.cloud, { keyOps: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] });
    grant(policy(rig.cloud, objectId, "encrypt"));
    const sealed = String((await operate("encrypt", token, "aGVsbG8", version)).at("value"));
    const rights = { encrypt: "encrypt", decrypt: "decrypt", wrapkey: "wrapKey", unwrapkey: "unwrapKey" };
    for (const [verb, right] of Object.entries(rights)) {
      for (const granted of ["get", ...Object.values(rights)]) {
        grant(policy(rig.cloud, objectId, granted));
        const value = verb === "decrypt" || verb === "unwrapkey" ? sealed : "aGVsbG8";
        const reply = await operate(verb, token, value, version);
        expect([verb, granted, reply.status]).toEqual([verb, granted, granted === right ? 200 : 403]);
      }
    }
  });

  it("deny with Azure's body: the caller, the permission, the vault", async () => {
    const { version } = await sealKey(rig.cloud);
    const guest = await rig.azure.tokens.issue({
      principal: rig.guest(),
      audience: AUDIENCE,
      requestedBy: rig.ids.machine,
    });
    const reply = await operate("decrypt", guest.token, "AAAA", version);
    const caller =
      `appid=${GUEST.clientId};oid=${GUEST.principalId};iss=https://sts.windows.net/${rig.cloud.tenantId}/;` +
      `xms_mirid=${rig.ids.guest};xms_az_rid=${rig.ids.machine}`;
    expect(reply.status).toBe(403);
    expect(reply.json).toEqual({
      error: {
        code: "Forbidden",
        message: `The user, group or application '${caller}' does not have keys decrypt permission on key vault 'kv-test;location=westeurope'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
        innererror: { code: "AccessDenied" },
      },
    });
  });

  it("may name a group, and count for its own tenant only", async () => {
    const group = "55555555-5555-4555-8555-555555555555";
    const member = rig.cloud.directory.addApplication({ displayName: "member", memberOf: [group] });
    const token = await rig.tokenOf(member, AUDIENCE);
    await sealKey(rig.cloud);
    grant(policy(rig.cloud, group, "get"));
    expect((await call({ token })).status).toBe(200);
    grant({ ...policy(rig.cloud, group, "get"), tenantId: "99999999-9999-4999-8999-999999999999" });
    expect((await call({ token })).status).toBe(403);
  });

  it("take effect only after the propagation time, given and withdrawn alike", async () => {
    const token = await workstationToken();
    await sealKey(rig.cloud);
    const granted = vault(rig.cloud, { accessPolicies: [policy(rig.cloud, rig.workstation().objectId, "get")] });
    rig.cloud.put(granted, { effectiveAfterMs: 5000 });
    expect((await call({ token })).status).toBe(403);
    now += 5000;
    expect((await call({ token })).status).toBe(200);
    rig.cloud.put(vault(rig.cloud), { effectiveAfterMs: 3000 });
    expect((await call({ token })).status).toBe(200);
    now += 3000;
    expect((await call({ token })).status).toBe(403);
  });
});

describe("role assignments", () => {
  const rbac = () =>
    vault(rig.cloud, { enableRbacAuthorization: true, accessPolicies: [policy(rig.cloud, GUEST.principalId, "all")] });

  it("count in place of access policies, on the key, the vault, the group or the subscription", async () => {
    rig.cloud.put(rbac());
    const { version } = await sealKey(rig.cloud);
    const token = await rig.tokenOf(rig.guest(), AUDIENCE);
    const { ids, cloud } = rig;
    const scopes: [scope: string, status: number][] = [
      [`${ids.vault}/keys/seal`, 200],
      [ids.vault, 200],
      [ids.group, 200],
      [`/subscriptions/${cloud.subscriptionId}`, 200],
      [`${ids.vault}/keys/another`, 403],
      [`${ids.vault}-2`, 403],
    ];
    for (const [scope, status] of scopes) {
      const { id } = cloud.put(assignment(scope, GUEST.principalId, roleId(cloud, CRYPTO_USER)));
      const encrypted = await operate("encrypt", token, "aGVsbG8", version);
      expect([scope, encrypted.status]).toEqual([scope, status]);
      cloud.remove(id);
    }
  });

  it("deny with Azure's body: action, resource and caller", async () => {
    rig.cloud.put(rbac());
    const { version } = await sealKey(rig.cloud);
    const reply = await operate("decrypt", await rig.tokenOf(rig.guest(), AUDIENCE), "AAAA", version);
    const { message, ...error } = reply.at("error") as { message: string };
    expect([reply.status, error]).toEqual([403, { code: "Forbidden", innererror: { code: "ForbiddenByRbac" } }]);
    expect(message.split("\r\n")).toEqual([
      "Caller is not authorized to perform action on resource.",
      "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
      `Caller: appid=${GUEST.clientId};oid=${GUEST.principalId};iss=https://sts.windows.net/${rig.cloud.tenantId}/;xms_mirid=${rig.ids.guest}`,
      "Action: 'Microsoft.KeyVault/vaults/keys/decrypt/action'",
      `Resource: '${rig.ids.vault.replace("resourceGroups", "resourcegroups").replace("Microsoft.KeyVault", "microsoft.keyvault")}/keys/seal'`,
      "Assignment: (not found)",
      "DenyAssignmentId: null",
      "DecisionReason: null ",
      "Vault: kv-test;location=westeurope",
      "",
    ]);
  });

  it("honour custom roles with data actions, once the definition is in effect", async () => {
    rig.cloud.put(rbac());
    const { version } = await sealKey(rig.cloud);
    const id = roleId(rig.cloud, "77777777-7777-4777-8777-777777777777");
    const dataActions = ["Microsoft.KeyVault/vaults/keys/encrypt/action", "Microsoft.KeyVault/vaults/keys/read"];
    const properties = { roleName: "Sealer", permissions: [{ dataActions, notDataActions: ["*/read"] }] };
    rig.cloud.put(
      { id, type: "Microsoft.Authorization/roleDefinitions", name: "sealer", properties },
      { effectiveAfterMs: 1000 },
    );
    rig.cloud.put(assignment(rig.ids.vault, GUEST.principalId, id));
    const token = await rig.tokenOf(rig.guest(), AUDIENCE);
    expect((await operate("encrypt", token, "aGVsbG8", version)).status).toBe(403);
    now += 1000;
    expect((await operate("encrypt", token, "aGVsbG8", version)).status).toBe(200);
    expect((await call({ token })).status).toBe(403);
    rig.cloud.remove(id);
  });

  it("with a condition grant nothing: conditions are not evaluated", async () => {
    rig.cloud.put(rbac());
    await sealKey(rig.cloud);
    rig.cloud.put(assignment(rig.ids.vault, GUEST.principalId, roleId(rig.cloud, CRYPTO_USER), { condition: "x" }));
    expect((await call({ token: await rig.tokenOf(rig.guest(), AUDIENCE) })).status).toBe(403);
  });
});

describe("keys", () => {
  beforeEach(() => grant(policy(rig.cloud, rig.workstation().objectId, "all")));

  it("give back any plaintext that fits, with both paddings", async () => {
    const token = await workstationToken();
    const { version } = await sealKey(rig.cloud);
    const kid = `${VAULT_URL}/keys/seal/${version}`;
    const plaintexts = fc.uint8Array({ minLength: 1, maxLength: 190 });
    const paddings = fc.constantFrom("RSA-OAEP-256", "RSA-OAEP");
    await fc.assert(
      fc.asyncProperty(plaintexts, paddings, async (plaintext, alg) => {
        const value = Buffer.from(plaintext).toString("base64url");
        const sealed = await operate("encrypt", token, value, version, alg);
        expect([sealed.status, sealed.at("kid")]).toEqual([200, kid]);
        const opened = await operate("decrypt", token, String(sealed.at("value")), version, alg);
        expect(opened.json).toEqual({ kid, value });
      }),
      { numRuns: 20 },
    );
  });

  it("keep their versions apart; a name alone means the newest", async () => {
    const token = await workstationToken();
    const first = await sealKey(rig.cloud);
    const sealed = String((await operate("encrypt", token, "aGVsbG8", first.version)).at("value"));
    const second = await rig.cloud.keys.create(rig.ids.vault, "seal", { keyOps: ["encrypt", "decrypt"] });
    expect((await call({ token })).at("key.kid")).toBe(`${VAULT_URL}/keys/seal/${second.version}`);
    expect((await operate("decrypt", token, sealed, first.version)).at("value")).toBe("aGVsbG8");
    const wrong = await operate("decrypt", token, sealed, second.version);
    expect([wrong.status, wrong.at("error.code")]).toEqual([400, "BadParameter"]);
    const listed = await call({ token, path: "/keys/seal/versions" });
    expect(kids(listed)).toEqual([
      `${VAULT_URL}/keys/seal/${first.version}`,
      `${VAULT_URL}/keys/seal/${second.version}`,
    ]);
    const names = await call({ token, path: "/keys" });
    expect(kids(names)).toEqual([`${VAULT_URL}/keys/seal`]);
  });

  it("are described without their private half", async () => {
    const made = await sealKey(rig.cloud, { keyOps: ["encrypt"], expires: 4_000_000_000 });
    const { json } = await call({ token: await workstationToken() });
    expect(json).toEqual({
      key: { kid: `${VAULT_URL}/keys/seal/${made.version}`, kty: "RSA", key_ops: ["encrypt"], n: made.n, e: "AQAB" },
      attributes: {
        enabled: true,
        exp: 4_000_000_000,
        created: made.created,
        updated: made.updated,
        recoveryLevel: "Recoverable+Purgeable",
        recoverableDays: 90,
      },
    });
  });

  const missing = "0".repeat(32);
  const refusals: [
    title: string,
    change: Parameters<typeof sealKey>[1],
    what: Call,
    status: number,
    code: string,
    inner?: string,
  ][] = [
    ["a name that is not there", {}, { path: "/keys/none" }, 404, "KeyNotFound"],
    ["a version that is not there", {}, { path: `/keys/seal/${missing}` }, 404, "KeyNotFound"],
    [
      "an operation the key was not made for",
      { keyOps: ["decrypt"] },
      encrypting(),
      403,
      "Forbidden",
      "KeyOperationForbidden",
    ],
    ["a key that is switched off", { enabled: false }, encrypting(), 403, "Forbidden", "KeyDisabled"],
    ["a key that has expired", { expires: 1000 }, encrypting(), 403, "Forbidden", "KeyExpired"],
    ["a key that is not yet valid", { notBefore: 4_000_000_000 }, encrypting(), 403, "Forbidden", "KeyNotYetValid"],
    ["an unknown algorithm", {}, encrypting({ alg: "RSA1_5", value: "AAAA" }), 400, "BadParameter"],
    ["a value that is not base64url", {}, encrypting({ alg: "RSA-OAEP", value: "+/" }), 400, "BadParameter"],
    [
      "a value that is too long for the key",
      {},
      encrypting({ alg: "RSA-OAEP", value: randomBytes(300).toString("base64url") }),
      400,
      "BadParameter",
    ],
    ["a body that is not JSON", {}, { ...encrypting(), body: "{" }, 400, "BadParameter"],
    ["no api-version", {}, { query: "" }, 400, "BadParameter"],
    ["an api-version nobody knows", {}, { query: "?api-version=2010-01-01" }, 400, "BadParameter"],
    ["an operation nobody knows", {}, { method: "DELETE" }, 400, "BadParameter"],
  ];

  function encrypting(body: object = { alg: "RSA-OAEP-256", value: "AAAA" }): Call {
    return { method: "POST", path: "/keys/seal/encrypt", body };
  }

  it.each(refusals)("refuse %s", async (_title, change, what, status, code, inner) => {
    await sealKey(rig.cloud, change);
    const reply = await call({ token: await workstationToken(), ...what });
    expect([reply.status, reply.at("error.code"), reply.at("error.innererror.code")]).toEqual([status, code, inner]);
  });

  it("still open after they expired what was sealed before", async () => {
    const token = await workstationToken();
    const { version } = await sealKey(rig.cloud);
    const sealed = String((await operate("encrypt", token, "aGVsbG8", version)).at("value"));
    rig.cloud.keys.update(rig.ids.vault, "seal", version, { expires: 1000 });
    expect((await operate("encrypt", token, "aGVsbG8", version)).at("error.innererror.code")).toBe("KeyExpired");
    expect((await operate("decrypt", token, sealed, version)).at("value")).toBe("aGVsbG8");
  });

  it("are gone while deleted, and back with all versions when recovered", async () => {
    const token = await workstationToken();
    const { version } = await sealKey(rig.cloud);
    rig.cloud.keys.remove(rig.ids.vault, "seal");
    expect((await call({ token })).status).toBe(404);
    await expect(sealKey(rig.cloud)).rejects.toThrow("key seal is deleted but recoverable: recover or purge it");
    rig.cloud.keys.recover(rig.ids.vault, "seal");
    expect((await call({ token })).at("key.kid")).toContain(version);
  });
});

describe("the vault's network", () => {
  it.each([
    ["public access is disabled", { publicNetworkAccess: "Disabled" }, "ForbiddenByConnection"],
    ["the firewall denies by default", { networkAcls: { defaultAction: "Deny" } }, "ForbiddenByFirewall"],
  ])("is closed where %s", async (_title, properties, inner) => {
    await sealKey(rig.cloud);
    rig.cloud.put(
      vault(rig.cloud, { accessPolicies: [policy(rig.cloud, rig.workstation().objectId, "all")], ...properties }),
    );
    const reply = await call({ token: await workstationToken() });
    expect([reply.status, reply.at("error.innererror.code")]).toEqual([403, inner]);
  });

  it("has no name any more once the vault is deleted, and again when it is recovered", async () => {
    await sealKey(rig.cloud);
    rig.cloud.remove(rig.ids.vault);
    await expect(call({})).rejects.toThrow("CONNECT 502");
    rig.cloud.recoverVault("KV-TEST");
    expect((await call({})).status).toBe(401);
    expect(rig.cloud.keys.names(rig.ids.vault)).toEqual(["seal"]);
  });
});

it("throttles as Azure does when a fault says so", async () => {
  rig.azure.faults.add({
    host: ".vault.azure.net",
    times: 1,
    effect: { kind: "answer", status: 429, code: "Throttled", retryAfterSeconds: 2 },
  });
  const reply = await call({});
  expect([reply.status, reply.at("error.code"), reply.headers["retry-after"]]).toEqual([429, "Throttled", "2"]);
  expect((await call({})).status).toBe(401);
});
