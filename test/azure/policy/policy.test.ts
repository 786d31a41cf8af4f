import { describe, expect, it } from "vitest";
import { createCloud } from "../cloud";
import { makeWorld } from "../provider/world";
import { assignPolicy } from "./assignments";
import { BUILT_IN, type BuiltInPolicy } from "./built-in";
import { type Condition, matches } from "./policy-rule";

const resource = {
  id: "/a",
  type: "Microsoft.KeyVault/vaults",
  name: "v",
  location: "westeurope",
  tags: { team: "web" },
  properties: {
    sku: { name: "standard" },
    networkAcls: { ipRules: [{ value: "198.51.100.0/24" }, { value: "203.0.113.0/24" }] },
  },
};
const VAULT = resource.type;

describe("conditions of Azure Policy", () => {
  it.each<[condition: Condition, matched: boolean]>([
    [{ field: "type", equals: "microsoft.keyvault/VAULTS" }, true],
    [{ field: "location", in: ["northeurope", "westeurope"] }, true],
    [{ field: "location", notIn: ["westeurope"] }, false],
    [{ field: "tags['team']", exists: "true" }, true],
    [{ field: "tags[owner]", exists: false }, true],
    [{ field: "name", like: "v*" }, true],
    [{ field: "name", notLike: "v*" }, false],
    [{ field: `${VAULT}/sku.name`, equals: "Standard" }, true],
    [{ field: `${VAULT}/enablePurgeProtection`, notEquals: "true" }, true],
    [{ field: `${VAULT}/networkAcls.ipRules[*].value`, like: "*/24" }, true],
    [{ field: `${VAULT}/networkAcls.ipRules[*].value`, like: "198*" }, false],
    [{ count: { field: `${VAULT}/networkAcls.ipRules[*]` }, greater: 1 }, true],
    [{ count: { field: `${VAULT}/networkAcls.ipRules[*]` }, less: 2 }, false],
    [{ field: "Microsoft.Storage/storageAccounts/sku.name", exists: "true" }, false],
    [
      {
        not: {
          anyOf: [
            { field: "name", equals: "w" },
            { field: "type", equals: "x" },
          ],
        },
      },
      true,
    ],
    [
      {
        allOf: [
          { field: "name", equals: "v" },
          { field: "type", equals: "x" },
        ],
      },
      false,
    ],
  ])("%j: %s", (condition, matched) => {
    expect(matches(condition, resource)).toBe(matched);
  });

  it("that nobody here knows are an error, not a pass", () => {
    expect(() => matches({ field: "name", contains: "v" }, resource)).toThrow('operator "contains" is not known');
  });
});

describe("an assigned policy", () => {
  it("denies what it is about, as Azure words it, and nothing else", async () => {
    const { cloud, create, place, tenantId } = await makeWorld();
    assignPolicy(cloud, "keyVaultPublicAccess");
    const vault = (name: string, properties: object) =>
      create("keyvault:Vault", {
        ...place,
        vaultName: name,
        properties: { tenantId, sku: { family: "A", name: "standard" }, ...properties },
      });
    await expect(vault("open-vault", {})).rejects.toThrow(
      'Status=403 Code="RequestDisallowedByPolicy" Message="Resource \'open-vault\' was disallowed by policy. Policy identifiers: \'[{"policyAssignment":{"name":"Azure Key Vault should disable public network access",',
    );
    await expect(vault("closed-vault", { publicNetworkAccess: "disabled" })).resolves.toBeDefined();
    await expect(create("compute:Gallery", { ...place, galleryName: "g" })).resolves.toBeDefined();
  });

  it("of a group is about that group alone", async () => {
    const { cloud, create, group, place } = await makeWorld();
    await create("resources:ResourceGroup", { resourceGroupName: "other", location: "westeurope" });
    assignPolicy(cloud, "tagTeam", group.id);
    await expect(create("compute:Gallery", { ...place, galleryName: "g" })).rejects.toThrow(
      "Require a tag on resources",
    );
    const elsewhere = { resourceGroupName: "other", galleryName: "g" };
    await expect(create("compute:Gallery", elsewhere)).resolves.toBeDefined();
  });

  it("has the id that Azure gives it, once", () => {
    const ids = Object.values(BUILT_IN).map(({ guid }) => guid);
    expect(new Set(ids).size).toBe(ids.length);
    const cloud = createCloud();
    for (const policy of Object.keys(BUILT_IN) as BuiltInPolicy[]) assignPolicy(cloud, policy);
    expect(cloud.list({ type: "Microsoft.Authorization/policyAssignments" })).toHaveLength(ids.length);
  });
});
