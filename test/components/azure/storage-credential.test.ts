import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { AnonymousCredential } from "@azure/storage-blob";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { storageCredential } from "../../../components/azure/storage-credential";
import { pageBlobClient } from "../../../components/image/upload/blob-client";

const principal = { ARM_CLIENT_ID: "11111111-2222-3333-4444-555555555555", ARM_TENANT_ID: "tenant" };
const kindOf = async (environment: NodeJS.ProcessEnv) => (await storageCredential(environment)).constructor.name;

describe("who reads and writes blobs", () => {
  it.each([
    ["a service principal's secret", { ...principal, ARM_CLIENT_SECRET: "s" }, "ClientSecretCredential"],
    ["its certificate", { ...principal, ARM_CLIENT_CERTIFICATE_PATH: "c.pem" }, "ClientCertificateCredential"],
    ["a token in a file", { ...principal, ARM_OIDC_TOKEN_FILE_PATH: "token" }, "WorkloadIdentityCredential"],
    ["a token that is given", { ...principal, ARM_USE_OIDC: "1", ARM_OIDC_TOKEN: "t" }, "ClientAssertionCredential"],
    ["a managed identity that is named", { ARM_USE_MSI: "true" }, "ManagedIdentityCredential"],
    [
      "Azure's own names",
      { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t", AZURE_CLIENT_SECRET: "s" },
      "ClientSecretCredential",
    ],
    ["nobody: who is logged in, else the machine", {}, "ChainedTokenCredential"],
  ])("by %s", async (_, environment, kind) => {
    expect(await kindOf(environment)).toBe(kind);
  });

  it("prefers a token of the CI system to a secret that is left over", async () => {
    const ci = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://ci.example", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer" };
    const environment = { ...principal, ...ci, ARM_USE_OIDC: "true", ARM_CLIENT_SECRET: "left over" };
    expect(await kindOf(environment)).toBe("ClientAssertionCredential");
  });

  it("says what is missing where a token is asked for and nobody gives one", async () => {
    await expect(storageCredential({ ...principal, ARM_USE_OIDC: "true" })).rejects.toThrow("set ARM_OIDC_TOKEN");
  });
});

describe("whoever is logged in with az", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "az-"));
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** What az was asked, by a stand-in that writes it down. */
  const askedOf = async (environment: NodeJS.ProcessEnv): Promise<string> => {
    const answer = JSON.stringify({
      accessToken: "t",
      expiresOn: "2099-01-01 00:00:00.000000",
      expires_on: 4070908800,
    });
    fs.writeFileSync(path.join(folder, "az"), `#!/bin/sh\necho "$*" > '${folder}/asked'\necho '${answer}'\n`, {
      mode: 0o755,
    });
    vi.stubEnv("PATH", `${folder}${path.delimiter}${process.env.PATH}`);
    await (await storageCredential(environment)).getToken("https://storage.azure.com/.default");
    return fs.readFileSync(path.join(folder, "asked"), "utf8");
  };

  it.each(["ARM_TENANT_ID", "AZURE_TENANT_ID"])("works in the tenant that %s names", async (variable) => {
    expect(await askedOf({ [variable]: "11111111-2222" })).toContain("--tenant 11111111-2222");
  });

  it("works in the CLI's own tenant where none is named", async () => {
    expect(await askedOf({})).not.toContain("--tenant");
  });
});

describe("a SAS", () => {
  const url = "https://account.blob.core.windows.net/images/dev.vhd";
  const sas = "sv=2021-12-02&sig=abc";
  const isUsed = async (address: string, environment: NodeJS.ProcessEnv): Promise<boolean> =>
    (await pageBlobClient(address, environment)).credential instanceof AnonymousCredential;

  it("counts in the URL and in the variable that is for this alone", async () => {
    expect(await isUsed(`${url}?${sas}`, {})).toBe(true);
    expect(await isUsed(url, { SEALED_ONION_SAS: `?${sas}` })).toBe(true);
  });

  it("that lies about for other tools does not come before Entra ID", async () => {
    expect(await isUsed(url, { AZURE_STORAGE_SAS_TOKEN: sas })).toBe(false);
    expect((await pageBlobClient(url, { AZURE_STORAGE_SAS_TOKEN: sas })).url).toBe(url);
  });
});
