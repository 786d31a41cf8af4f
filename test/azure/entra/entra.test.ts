import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Reply, via } from "../client";
import type { Application } from "../cloud";
import { GUEST, type Rig, startRig } from "../fixture";
import type { ExternalIssuer } from "./external-issuer";

const GITHUB = "https://token.actions.githubusercontent.com";
const SUBJECT = "repo:someone/onion:pull_request";
const EXCHANGE = "api://AzureADTokenExchange";

let rig: Rig;
let tenant: string;
let github: ExternalIssuer;
let application: Application;

beforeAll(async () => {
  rig = await startRig();
  tenant = rig.cloud.tenantId;
  github = await rig.azure.addTokenIssuer(GITHUB);
  application = rig.cloud.directory.addApplication({
    displayName: "ci",
    secrets: ["first secret", "second secret"],
    federatedCredentials: [{ issuer: GITHUB, subject: SUBJECT }],
  });
});
afterAll(() => rig.close());

function get(path: string, host = "login.microsoftonline.com"): Promise<Reply> {
  return ask(via(rig.azure.workstation.env), `https://${host}${path}`);
}

function post(form: Record<string, string>, path = `/${tenant}/oauth2/v2.0/token`): Promise<Reply> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams(form).toString();
  return ask(via(rig.azure.workstation.env), `https://login.microsoftonline.com${path}`, {
    method: "POST",
    headers,
    body,
  });
}

function withSecret(change: Record<string, string> = {}): Record<string, string> {
  return {
    grant_type: "client_credentials",
    client_id: application.clientId,
    client_secret: "second secret",
    scope: "https://vault.azure.net/.default",
    ...change,
  };
}

function withAssertion(client_assertion: string, client_id = application.clientId): Record<string, string> {
  return {
    grant_type: "client_credentials",
    client_id,
    client_assertion,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    scope: "https://vault.azure.net/.default",
  };
}

describe("discovery", () => {
  it("tells where a tenant's documents are", async () => {
    const reply = await get("/common/discovery/instance?api-version=1.1&authorization_endpoint=x");
    expect(reply.at("tenant_discovery_endpoint")).toBe(
      `https://login.microsoftonline.com/${tenant}/v2.0/.well-known/openid-configuration`,
    );
    expect(reply.at("metadata.0.aliases")).toContain("sts.windows.net");
  });

  it.each([
    ["v1", "", "https://sts.windows.net/TENANT/", "https://login.microsoftonline.com/common/discovery/keys"],
    [
      "v2",
      "/v2.0",
      "https://login.microsoftonline.com/TENANT/v2.0",
      "https://login.microsoftonline.com/TENANT/discovery/v2.0/keys",
    ],
  ])("names the issuer and keys of %s tokens", async (_title, path, issuer, keys) => {
    const reply = await get(`/${tenant}${path}/.well-known/openid-configuration`);
    expect([reply.at("issuer"), reply.at("jwks_uri")]).toEqual([
      issuer.replace("TENANT", tenant),
      keys.replace("TENANT", tenant),
    ]);
    expect((await get(new URL(String(reply.at("jwks_uri"))).pathname)).json).toEqual(rig.azure.tokens.jwks);
  });

  it("does not know other tenants", async () => {
    const reply = await get("/99999999-9999-4999-8999-999999999999/v2.0/.well-known/openid-configuration");
    expect([reply.status, reply.at("error"), reply.at("error_codes")]).toEqual([400, "invalid_tenant", [90002]]);
  });
});

describe("tokens for a client secret", () => {
  it("are signed with a published key and say who and for what", async () => {
    const reply = await post(withSecret());
    const { access_token: token, ...rest } = reply.json as { access_token: string };
    expect([reply.status, rest]).toEqual([200, { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599 }]);
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(rig.azure.tokens.jwks), {
      issuer: `https://sts.windows.net/${tenant}/`,
      audience: "https://vault.azure.net",
    });
    expect(protectedHeader).toMatchObject({ alg: "RS256", typ: "JWT", kid: rig.azure.tokens.jwks.keys[0]?.kid });
    expect(payload).toMatchObject({
      oid: application.objectId,
      sub: application.objectId,
      appid: application.clientId,
      tid: tenant,
    });
    expect(payload).not.toHaveProperty("xms_mirid");
  });

  it("are given by the v1 endpoint for a resource", async () => {
    const { scope: _scope, ...form } = withSecret({ resource: "https://management.azure.com/" });
    const reply = await post(form, `/${tenant}/oauth2/token`);
    expect(decodeJwt(String(reply.at("access_token"))).aud).toBe("https://management.azure.com/");
  });

  it("can be made of the second version, with its own issuer and names", async () => {
    const { token } = await rig.azure.tokens.issue({ principal: application, audience: "x", version: 2 });
    expect(decodeProtectedHeader(token)).not.toHaveProperty("x5t");
    expect(decodeJwt(token)).toMatchObject({
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      azp: application.clientId,
      ver: "2.0",
    });
  });
});

describe("token requests are refused", () => {
  it.each<[title: string, form: () => Record<string, string>, status: number, error: string, number: number]>([
    ["for a wrong secret", () => withSecret({ client_secret: "third" }), 401, "invalid_client", 7000215],
    [
      "for an unknown application",
      () => withSecret({ client_id: GUEST.principalId }),
      400,
      "unauthorized_client",
      700016,
    ],
    [
      "for a managed identity with a secret",
      () => withSecret({ client_id: GUEST.clientId }),
      400,
      "unauthorized_client",
      700016,
    ],
    [
      "for a scope without /.default",
      () => withSecret({ scope: "https://vault.azure.net/user" }),
      400,
      "invalid_scope",
      1002012,
    ],
    [
      "for a resource nobody knows",
      () => withSecret({ scope: "https://example.com/.default" }),
      400,
      "invalid_resource",
      500011,
    ],
    [
      "for a storage account that is not there",
      () => withSecret({ scope: "https://nobody.blob.core.windows.net/.default" }),
      400,
      "invalid_resource",
      500011,
    ],
    ["for another grant", () => withSecret({ grant_type: "password" }), 400, "unsupported_grant_type", 70003],
    [
      "without secret or assertion",
      () => {
        const { client_secret: _secret, ...form } = withSecret();
        return form;
      },
      401,
      "invalid_client",
      7000216,
    ],
  ])("%s", async (_title, form, status, error, number) => {
    const reply = await post(form());
    expect([reply.status, reply.at("error"), reply.at("error_codes")]).toEqual([status, error, [number]]);
    expect(String(reply.at("error_description"))).toMatch(new RegExp(`^AADSTS${number}: .* Trace ID: .* Timestamp: `));
  });
});

describe("federation", () => {
  it("trades a workflow's token for the application's", async () => {
    const reply = await post(withAssertion(await github.sign({ sub: SUBJECT, aud: EXCHANGE })));
    expect(decodeJwt(String(reply.at("access_token"))).oid).toBe(application.objectId);
  });

  it("trades it for a user-assigned identity's, by the credential below it", async () => {
    const id = `${rig.ids.guest}/federatedIdentityCredentials/github`;
    const properties = { issuer: GITHUB, subject: "repo:someone/onion:ref:refs/heads/main", audiences: [EXCHANGE] };
    rig.cloud.put({
      id,
      type: "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
      name: "github",
      properties,
    });
    const assertion = await github.sign({ sub: properties.subject, aud: EXCHANGE });
    const reply = await post(withAssertion(assertion, GUEST.clientId));
    expect(decodeJwt(String(reply.at("access_token")))).toMatchObject({
      oid: GUEST.principalId,
      xms_mirid: rig.ids.guest,
    });
    const fork = await github.sign({ sub: "repo:fork/onion:pull_request", aud: EXCHANGE });
    expect((await post(withAssertion(fork, GUEST.clientId))).at("error_codes")).toEqual([700213]);
  });

  it("publishes the issuer's keys at its own host", async () => {
    const reply = await get("/.well-known/openid-configuration", "token.actions.githubusercontent.com");
    expect(reply.json).toMatchObject({ issuer: GITHUB, jwks_uri: `${GITHUB}/.well-known/jwks` });
    const keys = await get("/.well-known/jwks", "token.actions.githubusercontent.com");
    await jwtVerify(await github.sign({ sub: "x", aud: "y" }), createLocalJWKSet(keys.json as never));
    expect((await get("/other", "token.actions.githubusercontent.com")).status).toBe(404);
  });

  it.each<[title: string, assertion: () => Promise<string>, number: number]>([
    ["another repository", () => github.sign({ sub: "repo:fork/onion:pull_request", aud: EXCHANGE }), 700213],
    ["another audience", () => github.sign({ sub: SUBJECT, aud: "sts.amazonaws.com" }), 700212],
    [
      "an issuer that is not trusted",
      async () => (await rig.azure.addTokenIssuer("https://oidc.example.com")).sign({ sub: SUBJECT, aud: EXCHANGE }),
      700211,
    ],
    ["a token that has expired", () => github.sign({ sub: SUBJECT, aud: EXCHANGE }, -60), 700024],
    [
      "a forged signature",
      async () => `${(await github.sign({ sub: SUBJECT, aud: EXCHANGE })).slice(0, -8)}AAAAAAAA`,
      50013,
    ],
    ["what is no token", async () => "x", 50013],
  ])("refuses %s", async (_title, assertion, number) => {
    const reply = await post(withAssertion(await assertion()));
    expect([reply.status, reply.at("error"), reply.at("error_codes")]).toEqual([401, "invalid_client", [number]]);
  });

  it("refuses a client nobody knows", async () => {
    const reply = await post(withAssertion(await github.sign({ sub: SUBJECT, aud: EXCHANGE }), GUEST.principalId));
    expect([reply.status, reply.at("error_codes")]).toEqual([400, [700016]]);
  });
});

it("tells the log who got a token, and never the token or the secret", async () => {
  rig.azure.requests.clear();
  const reply = await post(withSecret());
  const text = JSON.stringify(rig.azure.requests.entries);
  expect(rig.azure.requests.entries[0]).toMatchObject({
    operation: "token",
    status: 200,
    principal: application.objectId,
  });
  for (const secret of ["second secret", "second+secret", String(reply.at("access_token"))])
    expect(text).not.toContain(secret);
});
