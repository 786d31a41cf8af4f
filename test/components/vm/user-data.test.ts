import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { userData } from "../../../components/vm/user-data";
import { type ProjectFolder, projectFolder, sealedContent } from "../project-folder";

let project: ProjectFolder;
beforeEach(() => {
  project = projectFolder();
});
afterEach(() => project.remove());

describe("user data", () => {
  it("holds the sealed files by name, in one order", () => {
    for (const name of ["b", "a"]) project.seal("dev", name);
    const data = userData("dev", ["b", "a"]);
    expect(userData("dev", ["a", "b"])).toBe(data);
    expect(Buffer.from(data, "base64").toString()).toBe(
      `{"version":1,"secrets":{"a":${sealedContent("a")},"b":${sealedContent("b")}}}`,
    );
  });

  it("holds keys of the vault and of no other kind", () => {
    const vault = [{ vault_url: "https://v.vault.azure.net", name: "k", version: "1", enc: "x" }];
    const sops = { azure_kv: vault, age: [{ recipient: "age1x", enc: "y" }], pgp: [{ fp: "A", enc: "z" }], mac: "m" };
    project.seal("dev", "recovered", { content: JSON.stringify({ data: "ENC[x]", sops }) });
    const { secrets } = JSON.parse(Buffer.from(userData("dev", ["recovered"]), "base64").toString());
    expect(secrets.recovered).toEqual({ data: "ENC[x]", sops: { azure_kv: vault, mac: "m" } });
  });

  it("is refused where it is more than Azure takes, with the way out", () => {
    project.seal("dev", "big", { content: JSON.stringify({ data: "x".repeat(65_536) }) });
    expect(() => userData("dev", ["big"])).toThrow(
      "1 sealed files are 65589 bytes, user data holds 65535: set sealed-onion:bootAgent.userDataSecrets to false",
    );
  });

  it("is refused where a sealed file is missing", () => {
    expect(() => userData("dev", ["missing"])).toThrow("missing.sops.json");
  });

  it("names the system that the machine is asked to run, and no sealed file where it takes none", () => {
    const system = { path: "/nix/store/x", generation: 7, signature: "k:s" };
    const text = Buffer.from(userData("dev", [], { system }), "base64").toString();
    expect(text).toBe('{"version":1,"system":{"path":"/nix/store/x","generation":7,"signature":"k:s"},"secrets":{}}');
  });
});
