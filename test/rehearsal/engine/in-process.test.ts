import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { AccessPolicy } from "@pulumi/azure-native/keyvault/accessPolicy";
import { Vault } from "@pulumi/azure-native/keyvault/vault";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup";
import { Command } from "@pulumi/command/local";
import * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random/randomBytes";
import { createCloud } from "loopback-azure/cloud";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { policyDenial } from "loopback-azure/provider/provider-faults";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localCommand } from "../providers/local-command";
import { simulatedRandom } from "../providers/random";
import { runProgram } from "./in-process";
import { type EngineState, nameOf, summary } from "./state";
import { UpdateFailed } from "./update-failed";
import { destroy, refresh } from "./whole-stack";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

class Part extends pulumi.ComponentResource {}

function setUp() {
  const cloud = createCloud();
  const me = cloud.directory.addApplication({ displayName: "me" });
  const azure = simulatedAzureNative({ cloud, principal: me });
  const providers = [azure, simulatedRandom(), localCommand({ folder })];
  const common = { project: "demo", stack: "dev", config: { "azure-native:location": "westeurope" }, providers };
  const up = (program: () => Promise<unknown>, previous?: EngineState, preview = false) =>
    runProgram({ ...common, program, preview, ...(previous && { previous }) });
  return { cloud, me, azure, providers, up };
}

/** A group, a vault, a policy and a command that appends to a file, so that its runs can be counted. */
function demo(file: string, change: { text?: string; policy?: boolean; vaultName?: string; rename?: boolean } = {}) {
  return async () => {
    const { text = "a", policy = true, vaultName, rename = false } = change;
    const part = new Part("demo:index:Part", rename ? "new" : "old", {}, rename ? { aliases: [{ name: "old" }] } : {});
    const parent = { parent: part };
    const prefix = rename ? "new" : "old";
    const group = new ResourceGroup(`${prefix}-group`, { resourceGroupName: "demo" }, parent);
    const properties = { tenantId: String(process.env.TENANT), sku: { family: "A", name: "standard" as const } };
    const named = vaultName === undefined ? {} : { vaultName };
    const vault = new Vault(`${prefix}-vault`, { resourceGroupName: group.name, properties, ...named }, parent);
    const secret = new RandomBytes(`${prefix}-secret`, { length: 8 }, parent);
    if (policy) {
      const entry = { tenantId: String(process.env.TENANT), objectId: "someone", permissions: { keys: ["get"] } };
      new AccessPolicy(
        `${prefix}-policy`,
        { resourceGroupName: group.name, vaultName: vault.name, policy: entry },
        parent,
      );
    }
    const command = new Command(
      `${prefix}-command`,
      {
        create: `echo "$TEXT" >> ${file}; cat ${file}`,
        delete: `rm ${file}`,
        environment: { TEXT: text },
        logging: "none",
      },
      parent,
    );
    return { uri: vault.properties.vaultUri, out: command.stdout, secret: secret.hex };
  };
}

function operations(steps: readonly { op: string; urn: string }[]): string[] {
  const changed = steps.filter(({ op }) => op !== "same");
  return changed.map(({ op, urn }) => `${op} ${nameOf(urn)}`);
}

describe("the engine without a CLI", () => {
  it("makes what the program declares, runs its commands, and finds nothing to do the second time", async () => {
    const { cloud, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "first");
    const first = await up(demo(file));
    expect(first.outputs).toMatchObject({ out: "a" });
    expect(String(first.outputs.uri)).toMatch(/^https:\/\/old-vault[0-9a-f]{8}\.vault\.azure\.net\/$/);
    expect(first.secretOutputs).toEqual(["secret"]);
    expect(summary(first.steps)).toEqual({ create: 7 });
    const second = await up(demo(file), first.state);
    expect(summary(second.steps)).toEqual({ same: 7 });
    expect(second.outputs).toEqual(first.outputs);
    expect(fs.readFileSync(file, "utf8")).toBe("a\n");
  });

  it("does nothing in a preview, and says what it would do", async () => {
    const { cloud, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "preview");
    const preview = await up(demo(file), undefined, true);
    expect(summary(preview.steps)).toEqual({ create: 7 });
    expect(cloud.list()).toEqual([]);
    expect(fs.existsSync(file)).toBe(false);
    const made = await up(demo(file));
    const changed = await up(demo(file, { text: "b", policy: false }), made.state, true);
    expect(operations(changed.steps)).toEqual(["update old-command", "delete old-policy"]);
    expect(changed.steps.find(({ op }) => op === "update")?.detailedDiff).toEqual({
      "environment.TEXT": { kind: "update", inputDiff: true },
    });
    expect(fs.readFileSync(file, "utf8")).toBe("a\n");
  });

  it("updates, replaces and deletes; a replaced vault's old one waits in soft delete", async () => {
    const { cloud, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "changes");
    const made = await up(demo(file));
    const changed = await up(demo(file, { text: "b", policy: false, vaultName: "another" }), made.state);
    expect(operations(changed.steps).sort()).toEqual([
      "create-replacement old-vault",
      "delete old-policy",
      "delete-replaced old-vault",
      "replace old-vault",
      "update old-command",
    ]);
    expect(changed.outputs.out).toBe("a\nb");
    expect(cloud.vault("another")).toBeDefined();
    expect(cloud.deletedVaults()).toHaveLength(1);
  });

  it("follows a renamed component by its alias: nothing is made again", async () => {
    const { cloud, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "alias");
    const made = await up(demo(file));
    const renamed = await up(demo(file, { rename: true }), made.state);
    expect(operations(renamed.steps)).toEqual([]);
    expect(renamed.state.resources.map(({ urn }) => nameOf(urn))).toContain("new-vault");
  });

  it("keeps what was done before a failure, and goes on from there", async () => {
    const { cloud, azure, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "failure");
    azure.faults.add({ operation: "create", name: "old-vault", error: policyDenial("old-vault", "no-vaults") });
    const failure: unknown = await up(demo(file)).catch((error: unknown) => error);
    if (!(failure instanceof UpdateFailed)) throw new Error("the update did not fail");
    expect(failure.message).toBe(
      'azure-native:keyvault:Vault (old-vault): Status=403 Code="RequestDisallowedByPolicy" Message="Resource \'old-vault\' was disallowed by policy. Policy identifiers: \'[{"policyAssignment":{"name":"no-vaults"}}]\'."',
    );
    expect(failure.state.resources.map(({ urn }) => nameOf(urn))).toContain("old-group");
    const next = await up(demo(file), failure.state);
    expect(operations(next.steps)).toEqual(expect.arrayContaining(["create old-vault", "create old-policy"]));
    expect(operations(next.steps)).not.toContain("create old-group");
  });

  it("keeps a resource whose making failed half-way, and updates it the next time", async () => {
    const { cloud, azure, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "half");
    const error = policyDenial("old-vault", "too-late");
    azure.faults.add({ operation: "create", name: "old-vault", afterwards: true, error });
    const failure: unknown = await up(demo(file)).catch((thrown: unknown) => thrown);
    if (!(failure instanceof UpdateFailed)) throw new Error("the update did not fail");
    const next = await up(demo(file), failure.state);
    expect(operations(next.steps)).toEqual(expect.arrayContaining(["update old-vault", "create old-policy"]));
    expect(cloud.list({ type: "Microsoft.KeyVault/vaults" })).toHaveLength(1);
  });

  it("sees in a refresh that a policy was removed by hand, and makes it again", async () => {
    const { cloud, providers, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "drift");
    const made = await up(demo(file));
    const [vault] = cloud.list({ type: "Microsoft.KeyVault/vaults" });
    if (vault === undefined) throw new Error("no vault was made");
    cloud.put({ ...vault, properties: { ...vault.properties, accessPolicies: [] } });
    const seen = await refresh(made.state, providers);
    expect(operations(seen.steps)).toContain("delete old-policy");
    const repaired = await up(demo(file), seen.state);
    expect(operations(repaired.steps)).toEqual(["create old-policy"]);
  });

  it("destroys everything, newest first, and leaves the vault in soft delete alone", async () => {
    const { cloud, providers, up } = setUp();
    process.env.TENANT = cloud.tenantId;
    const file = path.join(folder, "destroy");
    const made = await up(demo(file));
    const gone = await destroy(made.state, providers);
    expect(gone.state.resources).toEqual([]);
    expect(cloud.list()).toEqual([]);
    expect(cloud.deletedVaults()).toHaveLength(1);
    expect(fs.existsSync(file)).toBe(false);
  });

  it("refuses to delete what is protected, and says how to lift it", async () => {
    const { up } = setUp();
    const program = (isThere: boolean) => async () => {
      if (isThere) new ResourceGroup("kept", {}, { protect: true });
    };
    const made = await up(program(true));
    await expect(up(program(false), made.state)).rejects.toThrow(
      'resource "urn:pulumi:dev::demo::azure-native:resources:ResourceGroup::kept" cannot be deleted\nbecause it is protected. To unprotect the resource, either remove the `protect` flag',
    );
  });

  it("fails with the program's own error, in an apply or in its body", async () => {
    const { up } = setUp();
    const inApply = async () => {
      const group = new ResourceGroup("group", {});
      group.name.apply(() => {
        throw new Error("an apply failed");
      });
    };
    await expect(up(inApply)).rejects.toThrow("an apply failed");
    await expect(up(async () => Promise.reject(new pulumi.RunError("bad config")))).rejects.toThrow("bad config");
    expect((await up(async () => ({ fine: 1 }))).outputs).toEqual({ fine: 1 });
  });

  it("names the property and the rule when a provider refuses the inputs", async () => {
    const { up } = setUp();
    const program = async () => void new ResourceGroup("group", { resourceGroupName: "ends." });
    await expect(up(program)).rejects.toThrow(
      "azure-native:resources:ResourceGroup (group): 'resourceGroupName' must be 1-90 letters",
    );
  });
});
