import * as fs from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { cloudNamed } from "../../../components/azure/clouds";
import { parseVaultAuth } from "../../../components/vault-auth/vault-auth";

it("the page's example of Vault is a good configuration", () => {
  const [, example = ""] =
    /```yaml\n(config:\n {2}vault:address[\s\S]*?)```/.exec(
      fs.readFileSync("components/vault-auth/README.md", "utf8"),
    ) ?? [];
  const { config } = parse(example);
  const field = { path: "vaultAuth", value: config["sealed-onion:vaultAuth"] };
  const auth = parseVaultAuth(field, { path: "vault:address", value: config["vault:address"] }, cloudNamed());
  expect(auth).toMatchObject({ address: "https://vault.example.com:8200", mount: "azure", agentRole: "web" });
  expect(auth?.policies.web).toBe('path "kv/data/web" { capabilities = ["read"] }');
  expect(auth?.roles).toMatchObject([
    { name: "web", policies: ["web"], ttl: 600, maxTtl: 3600 },
    {
      name: "workers",
      bindings: { resourceGroups: ["workers"], servicePrincipals: ["own", "89abcdef-0123-4567-89ab-cdef01234567"] },
    },
  ]);
  expect(auth?.roles[0]).not.toHaveProperty("bindings");
});
