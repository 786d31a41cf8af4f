import { describe, expect, it } from "vitest";
import { chooseLogin, howText } from "../../../components/azure/login";
import { isConfigured, providerSettings, type SettingName } from "../../../components/azure/provider-settings";

const named = { ARM_CLIENT_ID: "app", ARM_TENANT_ID: "tenant" };
const actions = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://ci.example", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer" };

function login(environment: NodeJS.ProcessEnv, config: Partial<Record<SettingName, string>> = {}) {
  return chooseLogin(
    providerSettings((key) => config[key], environment),
    environment,
  );
}

describe("as whom commands act", () => {
  it.each<[string, NodeJS.ProcessEnv, object]>([
    ["a secret", { ...named, ARM_CLIENT_SECRET: "s" }, { how: "secret", secret: "s", from: "ARM_CLIENT_SECRET" }],
    ["a certificate", { ...named, ARM_CLIENT_CERTIFICATE_PATH: "c.pfx" }, { how: "certificate", file: "c.pfx" }],
    [
      "a certificate before a secret, as the provider has it",
      { ...named, ARM_CLIENT_CERTIFICATE_PATH: "c.pem", ARM_CLIENT_SECRET: "s" },
      { how: "certificate" },
    ],
    [
      "OIDC where it is asked for, although a secret is left over",
      { ...named, ...actions, ARM_USE_OIDC: "true", ARM_CLIENT_SECRET: "s" },
      {
        how: "oidc",
        assertion: { url: "https://ci.example", bearer: "bearer", audience: "api://AzureADTokenExchange" },
      },
    ],
    [
      "a token that is given",
      { ...named, ARM_USE_OIDC: "1", ARM_OIDC_TOKEN: "t" },
      { how: "oidc", assertion: { token: "t" } },
    ],
    [
      "a token in a file",
      { ...named, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: "f" },
      { how: "oidc", assertion: { file: "f" } },
    ],
    ["a managed identity", { ARM_USE_MSI: "true", ARM_CLIENT_ID: "id" }, { how: "managedIdentity", clientId: "id" }],
    ["the default chain", { ARM_USE_DEFAULT_AZURE_CREDENTIAL: "true" }, { how: "default" }],
    ["nobody: who is logged in with az", {}, { how: "az" }],
    ["a tenant only", { ARM_TENANT_ID: "tenant" }, { how: "az", tenantId: "tenant" }],
    ["a subscription only", { ARM_SUBSCRIPTION_ID: "sub" }, { how: "az", subscriptionId: "sub" }],
    [
      "a tenant and a subscription: az takes one",
      { ARM_TENANT_ID: "tenant", ARM_SUBSCRIPTION_ID: "sub" },
      { how: "az", tenantId: "tenant" },
    ],
    [
      "Azure's own names",
      { AZURE_CLIENT_ID: "a", AZURE_TENANT_ID: "t", AZURE_CLIENT_SECRET: "s" },
      { how: "secret", clientId: "a", from: "AZURE_CLIENT_SECRET" },
    ],
    [
      "Pulumi's names before Azure's, and no mix of the two",
      { ...named, ARM_CLIENT_SECRET: "s", AZURE_CLIENT_ID: "x", AZURE_CLIENT_CERTIFICATE_PATH: "y" },
      { how: "secret", clientId: "app", secret: "s" },
    ],
  ])("%s", (_, environment, expected) => {
    expect(login(environment)).toMatchObject(expected);
  });

  it("follows the stack's configuration before the environment, key by key, as the provider does", () => {
    const config = { clientId: "configured", clientSecret: "hidden" };
    expect(login({ ...named, ARM_CLIENT_SECRET: "s" }, config)).toEqual({
      how: "secret",
      clientId: "configured",
      tenantId: "tenant",
      secret: "hidden",
      from: "azure-native:clientSecret",
    });
  });

  it.each([
    [named, "ARM_CLIENT_ID names app, and nothing that is set proves it: set ARM_CLIENT_SECRET"],
    [{ ARM_CLIENT_ID: "a", ARM_CLIENT_SECRET: "s" }, "ARM_CLIENT_SECRET is set and ARM_TENANT_ID is not"],
    [{ ARM_TENANT_ID: "t", ARM_CLIENT_CERTIFICATE_PATH: "c" }, "ARM_CLIENT_CERTIFICATE_PATH is set and ARM_CLIENT_ID"],
    [{ ...named, ARM_USE_OIDC: "true" }, "no token is at hand: set ARM_OIDC_TOKEN, or permissions: id-token: write"],
    [{ ARM_TENANT_ID: "t", ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "t" }, "ARM_USE_OIDC is set and ARM_CLIENT_ID is not"],
  ])("is refused where it is unclear: %j", (environment, message) => {
    expect(() => login(environment)).toThrow(message);
  });

  it("is told without a secret", () => {
    const secrets = { ...named, ARM_CLIENT_SECRET: "hidden" };
    expect(howText(login(secrets))).toBe("ARM_CLIENT_SECRET");
    expect(howText(login({}))).toBe("az login");
  });
});

describe("what the configuration says of the provider", () => {
  const isNamed = (config: Partial<Record<SettingName, string>>, environment = {}) =>
    isConfigured(providerSettings((key) => config[key], environment));

  it("names somebody by any key but that of a place", () => {
    expect(isNamed({ clientSecret: "s" })).toBe(true);
    expect(isNamed({ tenantId: "t" })).toBe(true);
    expect(isNamed({ environment: "china", subscriptionId: "s" })).toBe(false);
    expect(isNamed({}, { ARM_CLIENT_SECRET: "s" })).toBe(false);
  });
});
