import { describe, expect, it } from "vitest";
import { storageCredential } from "../../commands/storage-credential";

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
