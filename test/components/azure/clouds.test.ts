import { describe, expect, it } from "vitest";
import { blobEndpoint } from "../../../components/azure/azure-names";
import { cloudNamed, managementScope, privateZoneName, vaultScope } from "../../../components/azure/clouds";

describe("Azure's clouds", () => {
  it.each([
    [undefined, "login.microsoftonline.com", "vault.azure.net", "core.windows.net", "management.azure.com"],
    ["AzureCloud", "login.microsoftonline.com", "vault.azure.net", "core.windows.net", "management.azure.com"],
    [
      "usgovernment",
      "login.microsoftonline.us",
      "vault.usgovcloudapi.net",
      "core.usgovcloudapi.net",
      "management.usgovcloudapi.net",
    ],
    [
      "AzureUSGovernment",
      "login.microsoftonline.us",
      "vault.usgovcloudapi.net",
      "core.usgovcloudapi.net",
      "management.usgovcloudapi.net",
    ],
    ["china", "login.chinacloudapi.cn", "vault.azure.cn", "core.chinacloudapi.cn", "management.chinacloudapi.cn"],
  ])("%s", (name, login, vault, storage, resourceManager) => {
    const cloud = cloudNamed(name);
    expect(cloud).toMatchObject({ login, vault, storage, resourceManager });
    expect(vaultScope(cloud)).toBe(`https://${vault}/.default`);
    expect(managementScope(cloud)).toBe(`https://${resourceManager}/.default`);
    expect(privateZoneName(cloud, "blob")).toBe(`privatelink.blob.${storage}`);
    expect(privateZoneName(cloud, "vault")).toBe(`privatelink.${vault.replace("vault.", "vaultcore.")}`);
    expect(blobEndpoint("account", cloud)).toBe(`https://account.blob.${storage}`);
  });

  it("that do not exist are refused, with those that do", () => {
    expect(() => cloudNamed("germany")).toThrow(
      'Azure environment must be public, usgovernment or china, got "germany": set azure-native:environment',
    );
  });
});
