import * as fs from "node:fs";
import type { CloudResource } from "loopback-azure/cloud";
import { BUILT_IN, type PolicyDefinition } from "loopback-azure/policy/built-in";
import { matches } from "loopback-azure/policy/policy-rule";
import { valuesAt } from "loopback-azure/provider/arm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONFIGURATIONS, configurationOfPage, makeHub } from "../rehearsal/page-configurations";
import { said, startStack, type TestStack } from "./diffs/test-stack";

const BASELINE = "components/stack/baseline.md";

/** What was there before a stack, and is nobody's here. */
const before = new Set<string>();
const COLUMNS = ["smallest", "production", "company", "fleet"] as const;
type Column = (typeof COLUMNS)[number];
const made = {} as Record<Column, readonly CloudResource[]>;
const stacks: TestStack[] = [];

/** As a stack has it; `production` is the smallest one with that dial, and with what the dial asks for. */
function configurationOf(column: Column, stack: TestStack): Record<string, string> {
  if (column !== "production") return configurationOfPage(column, stack);
  const asked = { sealers: [stack.sealer], network: { allow: [stack.cloud.workstation.address] } };
  const dials = Object.entries(asked).map(([key, value]) => [`sealed-onion:${key}`, JSON.stringify(value)]);
  const production = { "sealed-onion:production": "true", ...Object.fromEntries(dials) };
  return { ...configurationOfPage("smallest", stack), ...production };
}

async function deploy(name: Column): Promise<void> {
  const stack = startStack();
  stacks.push(stack);
  if (name === "company") await makeHub(stack);
  for (const { id } of stack.cloud.list({})) before.add(id);
  await stack.engine.setConfig(configurationOf(name, stack));
  await said(stack.engine);
  // An OS disk is made by Azure, with the machine: no request of the stack's is about it.
  made[name] = stack.cloud.list({}).filter(({ id }) => !before.has(id) && !id.includes("_OsDisk_"));
}

const VAULT = "Microsoft.KeyVault/vaults";
const ACCOUNT = "Microsoft.Storage/storageAccounts";
const MACHINE = "Microsoft.Compute/virtualMachines";
type Holds = (resources: readonly CloudResource[]) => boolean;

/** All of a type, of which there is one at least. */
const every = (type: string, holds: (one: CloudResource, all: readonly CloudResource[]) => boolean): Holds => {
  return (resources) => {
    const found = resources.filter((resource) => resource.type === type);
    return found.length > 0 && found.every((one) => holds(one, resources));
  };
};
const has = (path: string, value: unknown) => (one: CloudResource) =>
  valuesAt(one.properties, path).some((found) => found.value === value);
const isConnected = (one: CloudResource, all: readonly CloudResource[]) =>
  all.some((other) =>
    valuesAt(other, "properties.privateLinkServiceConnections[].properties.privateLinkServiceId").some(
      ({ value }) => value === one.id,
    ),
  );

/** Rules that no policy of the stand-in is, as they are worded in Azure. */
const MORE: Readonly<Record<string, Holds>> = {
  "Azure Key Vault should use private link": every(VAULT, isConnected),
  "Key vaults should have soft delete enabled": every(VAULT, has("enableSoftDelete", true)),
  "Resource logs in Key Vault should be enabled": every(VAULT, ({ id }, all) =>
    all.some((other) => other.id.startsWith(`${id}/providers/Microsoft.Insights/diagnosticSettings/`)),
  ),
  "Key Vault keys should have an expiration date": every(
    `${VAULT}/keys`,
    ({ properties }) => valuesAt(properties, "attributes.exp").length > 0,
  ),
  "Storage accounts should use private link": every(ACCOUNT, isConnected),
  "Storage accounts should prevent cross tenant object replication": every(
    ACCOUNT,
    has("allowCrossTenantReplication", false),
  ),
  "Storage accounts should allow access from trusted Microsoft services": every(ACCOUNT, ({ properties }) =>
    valuesAt(properties, "networkAcls").every(({ value }) => {
      const [bypass] = valuesAt(value, "bypass");
      const [action] = valuesAt(value, "defaultAction");
      return action?.value === "Allow" || bypass?.value === "AzureServices";
    }),
  ),
  "Storage accounts should use customer-managed key for encryption": every(
    ACCOUNT,
    has("encryption.keySource", "Microsoft.Keyvault"),
  ),
  "Management ports should be closed on your virtual machines": every(
    "Microsoft.Network/networkSecurityGroups",
    ({ properties }) =>
      valuesAt(properties, "securityRules[].properties.access").every(({ value }) => value === "Deny"),
  ),
  "Authentication to Linux machines should require SSH keys": every(
    MACHINE,
    has("osProfile.linuxConfiguration.disablePasswordAuthentication", true),
  ),
  "vTPM should be enabled on supported virtual machines": every(
    MACHINE,
    has("securityProfile.uefiSettings.vTpmEnabled", true),
  ),
  "Secure Boot should be enabled on supported Windows virtual machines": every(
    MACHINE,
    has("securityProfile.uefiSettings.secureBootEnabled", true),
  ),
};

const policies: readonly PolicyDefinition[] = Object.values(BUILT_IN);
const RULES: Readonly<Record<string, Holds>> = {
  ...Object.fromEntries(
    policies.map(({ denies, displayName }): [string, Holds] => [
      displayName,
      (resources) => !resources.some((resource) => matches(denies, resource)),
    ]),
  ),
  ...MORE,
};

/** A row of the page's table: the rule, and what it says of each configuration. */
function rows(): (readonly [rule: string, says: readonly string[]])[] {
  const table = fs.readFileSync(BASELINE, "utf8").matchAll(/^\| (.+?) ((?:\| [✓–] ){4})\| .+ \|$/gm);
  return [...table].map(([, rule = "", marks = ""]) => [rule, marks.match(/[✓–]/g) ?? []] as const);
}

beforeAll(async () => {
  for (const name of COLUMNS) await deploy(name);
}, 600_000);
afterAll(async () => {
  for (const stack of stacks) await stack.close();
});

describe("the three configurations of the page", () => {
  it("are deployed as they stand there, and run as they are said to", () => {
    const machines = (name: Column) => made[name].filter(({ type }) => type === MACHINE).length;
    expect(CONFIGURATIONS.map(machines)).toEqual([1, 1, 5]);
  });
});

describe("the baseline's table", () => {
  it("has every rule once, and no other", () => {
    expect(
      rows()
        .map(([rule]) => rule)
        .sort(),
    ).toEqual(Object.keys(RULES).sort());
  });

  it.each(rows())("%s", (rule, says) => {
    expect(COLUMNS.map((column) => (RULES[rule]?.(made[column]) ? "✓" : "–"))).toEqual(says);
  });
});
