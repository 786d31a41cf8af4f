import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureEnvironment, oidcAssertion } from "../../../components/azure/azure-credentials";
import { findOnPath } from "../../../components/process/tools";
import { type Sealing, startSealing } from "../secrets/sealing";

const principal = { ARM_CLIENT_ID: "id", ARM_TENANT_ID: "tenant" };

describe("the environment that sops gets", () => {
  it("names the principal that Pulumi works as, and no part of another one", () => {
    const other = { AZURE_CLIENT_ID: "x", AZURE_TENANT_ID: "y", AZURE_CLIENT_CERTIFICATE_PATH: "z" };
    expect(azureEnvironment({ ...principal, ARM_CLIENT_SECRET: "secret", ...other })).toEqual({
      ...principal,
      ARM_CLIENT_SECRET: "secret",
      AZURE_CLIENT_ID: "id",
      AZURE_TENANT_ID: "tenant",
      AZURE_CLIENT_SECRET: "secret",
    });
  });

  it("knows a certificate and a token file", () => {
    const given = {
      ...principal,
      ARM_CLIENT_CERTIFICATE_PATH: "cert.pfx",
      ARM_CLIENT_CERTIFICATE_PASSWORD: "password",
      ARM_OIDC_TOKEN_FILE_PATH: "token",
    };
    expect(azureEnvironment(given)).toMatchObject({
      AZURE_CLIENT_CERTIFICATE_PATH: "cert.pfx",
      AZURE_CLIENT_CERTIFICATE_PASSWORD: "password",
      AZURE_FEDERATED_TOKEN_FILE: "token",
    });
  });

  it("uses OIDC where that is asked for, although a secret lies about", () => {
    const mapped = azureEnvironment({ ...principal, ARM_USE_OIDC: "true", ARM_CLIENT_SECRET: "old" });
    expect(mapped).not.toHaveProperty("AZURE_CLIENT_SECRET");
  });

  it("uses a managed identity where that is asked for", () => {
    expect(azureEnvironment({ ARM_USE_MSI: "true", ARM_CLIENT_ID: "id" })).toMatchObject({
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
      AZURE_CLIENT_ID: "id",
    });
  });

  it("asks the tools somebody is logged in with where nobody is named", () => {
    expect(azureEnvironment({})).toEqual({ AZURE_TOKEN_CREDENTIALS: "dev" });
    expect(azureEnvironment({ AZURE_TOKEN_CREDENTIALS: "prod" })).toEqual({ AZURE_TOKEN_CREDENTIALS: "prod" });
    expect(azureEnvironment({ AZURE_CLIENT_ID: "id" })).toEqual({ AZURE_CLIENT_ID: "id" });
  });

  it.each([
    ["usgovernment", "https://login.microsoftonline.us/"],
    ["china", "https://login.chinacloudapi.cn/"],
    ["public", undefined],
  ])("goes to the authority of the cloud %s", (ARM_ENVIRONMENT, authority) => {
    expect(azureEnvironment({ ARM_ENVIRONMENT }).AZURE_AUTHORITY_HOST).toBe(authority);
  });
});

describe("an OIDC token", () => {
  let server: http.Server;
  let url: string;
  const asked: (string | undefined)[] = [];

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      asked.push(request.url, request.headers.authorization);
      const isKnown = request.headers.authorization === "Bearer runner";
      response.statusCode = isKnown ? 200 : 401;
      response.end(isKnown ? JSON.stringify({ value: "the token" }) : "no");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2`;
  });
  afterAll(() => server.close());

  const token = (environment: NodeJS.ProcessEnv) => oidcAssertion({ ARM_USE_OIDC: "true", ...environment })?.();

  it("is not looked for where nobody asks for it, or it lies in a file", () => {
    expect(oidcAssertion({ ARM_OIDC_TOKEN: "token" })).toBeUndefined();
    expect(oidcAssertion({ ARM_USE_OIDC: "1", ARM_OIDC_TOKEN_FILE_PATH: "file" })).toBeUndefined();
  });

  it("is taken as it is, or asked for as in GitHub Actions", async () => {
    expect(await token({ ARM_OIDC_TOKEN: "given" })).toBe("given");
    const actions = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "runner" };
    expect(await token(actions)).toBe("the token");
    expect(asked).toEqual(["/token?api-version=2&audience=api%3A%2F%2FAzureADTokenExchange", "Bearer runner"]);
  });

  it("that cannot be had is an error with its remedy", async () => {
    expect(() => token({})).toThrow("set ARM_OIDC_TOKEN, or permissions: id-token");
    const wrong = { ARM_OIDC_REQUEST_URL: url, ARM_OIDC_REQUEST_TOKEN: "stranger" };
    await expect(token(wrong)).rejects.toThrow(/gives no OIDC token \(401\): check/);
  });
});

const noSops = !findOnPath("sops");

describe.skipIf(noSops)(`sealing from CI with OIDC${noSops ? " (skipped: needs sops on PATH)" : ""}`, () => {
  let sealing: Sealing;
  beforeAll(async () => {
    sealing = await startSealing();
  });
  afterAll(() => sealing.close());

  it("trades the CI system's token for Entra's, and leaves it in no file", async () => {
    const { azure } = sealing;
    const issuer = await azure.addTokenIssuer("https://token.actions.githubusercontent.com");
    const subject = "repo:somebody/onion:ref:refs/heads/main";
    const { objectId, clientId, tenantId } = azure.cloud.directory.addApplication({
      displayName: "ci",
      federatedCredentials: [{ issuer: issuer.issuer, subject }],
    });
    sealing.allow(["encrypt"], objectId);
    const memory = fs.mkdtempSync("/dev/shm/oidc-");
    const environment = {
      AZURE_CLIENT_ID: undefined,
      AZURE_CLIENT_SECRET: undefined,
      AZURE_TENANT_ID: undefined,
      ARM_CLIENT_ID: clientId,
      ARM_TENANT_ID: tenantId,
      ARM_USE_OIDC: "true",
      ARM_OIDC_TOKEN: await issuer.sign({ sub: subject, aud: "api://AzureADTokenExchange" }),
      XDG_RUNTIME_DIR: memory,
    };
    const run = await sealing.run({ name: "from-ci" }, { environment });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(azure.requests.entries.find(({ operation }) => operation === "encrypt")?.principal).toBe(objectId);
    expect(fs.readdirSync(memory)).toEqual([]);
    expect(fs.existsSync(path.join(sealing.folder, "nix/stacks/dev/from-ci.sops.json"))).toBe(true);
    fs.rmSync(memory, { recursive: true });
  });
});
