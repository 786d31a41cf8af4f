import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { speakForMachines } from "../fleet/speaking-machines";
import { DISK_BUILDER } from "../scenario";
import { changesOf } from "./engine";
import { makeInAzure } from "./make-in-azure";
import { openStage } from "./open-stage";
import { refusal } from "./refusal";
import type { Stage } from "./stage";
import { searchState, withConfig } from "./story-tools";
import { skippedFor } from "./tools";

const place = { resourceGroupName: "hub" };
const BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424";

/** A company that grants itself, uploads by rights of its own, and keeps logs: the program grants nothing. */
function tell(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  let machine: string;
  let named: Record<string, string>;
  let grants: string[];
  let granted = 0;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), engine);
    const speaking = speakForMachines(stage.azure, stage.folder, stage.stack);
    cleanup.add(() => speaking.close());
    await makeInAzure(stage, "resources:ResourceGroup", { ...place, location: "westeurope" });
    const called = { ...place, resourceName: "hub-identity" };
    const identity = await makeInAzure(stage, "managedidentity:UserAssignedIdentity", called);
    const workspace = await makeInAzure(stage, "operationalinsights:Workspace", {
      ...place,
      workspaceName: "hub-logs",
    });
    machine = `${stage.azure.cloud.get(identity)?.properties.principalId}`;
    named = { resourceGroup: "hub", identity, workspace };
    grants = [await grant(machine, BLOB_CONTRIBUTOR), await grant(machine, CRYPTO_USER)];
  }, 120_000);
  afterAll(() => cleanup.run(), 60_000);

  const list = (type: string) => stage.azure.cloud.list({ type });
  const assignments = () => list("Microsoft.Authorization/roleAssignments").map(({ id }) => id);
  const sealer = () => stage.azure.workstation.principal.objectId;

  /** As somebody who may, and is not the program. */
  function grant(principalId: string, role: string): Promise<string> {
    const subscription = `/subscriptions/${stage.azure.cloud.subscriptionId}`;
    granted += 1;
    return makeInAzure(stage, "authorization:RoleAssignment", {
      ...{ scope: `${subscription}/resourceGroups/hub`, principalId, principalType: "ServicePrincipal" },
      roleAssignmentName: `01234567-89ab-4def-8123-${`${granted}`.padStart(12, "0")}`,
      roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
    });
  }

  function configure(): Promise<void> {
    return withConfig(stage, {
      "sealed-onion:status": "true",
      "sealed-onion:authorization": "rbac",
      "sealed-onion:existing": JSON.stringify(named),
      "sealed-onion:grants": JSON.stringify(grants),
      "sealed-onion:image": JSON.stringify({ upload: "own", builder: DISK_BUILDER }),
    });
  }

  it("what the named grants do not give is said, and nothing is made", async () => {
    await configure();
    expect(await refusal(stage)).toContain(
      `grants: none of them lets sealer ${sealer()} do what "Key Vault Crypto User" does on`,
    );
    expect(list("Microsoft.KeyVault/vaults")).toEqual([]);
    expect(list("Microsoft.Storage/storageAccounts")).toEqual([]);
  }, 300_000);

  it("a stack lives on them, and on a right to upload of which it knows nothing: none is made", async () => {
    grants.push(await grant(sealer(), CRYPTO_USER));
    await configure();
    await grant(sealer(), BLOB_CONTRIBUTOR);
    const before = assignments();
    const run = await stage.engine.up();
    expect(assignments()).toEqual(before);
    expect(list("Microsoft.Authorization/roleDefinitions")).toEqual([]);
    const logged = list("Microsoft.Insights/diagnosticSettings").map(({ properties }) => properties.workspaceId);
    expect(logged).toEqual([named.workspace, named.workspace]);
    const again = await stage.engine.up();
    expect(changesOf(again)).toEqual([]);
    await searchState(stage, [run, again]);
  }, 600_000);

  it("what was granted and what was there outlive the stack", async () => {
    const before = assignments();
    await stage.engine.destroy();
    expect(assignments()).toEqual(before);
    expect(stage.azure.cloud.get(named.workspace ?? "")).toBeDefined();
    expect(list("Microsoft.Insights/diagnosticSettings")).toEqual([]);
    expect(list("Microsoft.KeyVault/vaults")).toEqual([]);
  }, 300_000);
}

const alone = skippedFor("sops");
describe.skipIf(alone)(`grants, logs and an upload of one's own, under the engine in process${alone}`, () =>
  tell("in-process"),
);
const both = skippedFor("sops", "pulumi");
describe.skipIf(both)(`grants, logs and an upload of one's own, under Pulumi's own engine${both}`, () =>
  tell("pulumi"),
);
