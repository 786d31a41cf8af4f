import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GUEST, machine, type Rig, startRig } from "loopback-azure/fixture";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { Cleanup } from "../cleanup";
import { makeMemoryFolder } from "../guest/memory-folder";
import { findVault } from "./server";
import { rehearseVault, type VaultStage } from "./story";

const program = findVault();
const flavour = "missing" in program ? "" : program.flavour;
const missing = ["bash", "curl", "jq"].filter((tool) => !findOnPath(tool));

describe.skipIf(missing.length > 0)(`the rehearsal's login at a Vault (skipped without ${missing.join(", ")})`, () => {
  let rig: Rig;
  let stage: VaultStage;
  let cleanup: Cleanup;
  let told: Record<string, string | undefined>;

  beforeEach(async () => {
    rig = await startRig();
    const { cloud, ids } = rig;
    const attached = { type: "UserAssigned", userAssignedIdentities: { [ids.guest]: GUEST } };
    cloud.put(machine(cloud, [ids.guest], { identity: attached }));
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "vault-")); // short: the plugin's socket lies in it
    const memory = makeMemoryFolder().path;
    cleanup = new Cleanup();
    told = {};
    cleanup.add(() => {
      for (const one of [folder, memory]) fs.rmSync(one, { recursive: true });
    });
    const steps: VaultStage["steps"] = {
      async run(name, action, note) {
        const result = await action();
        told[name] = note?.(result);
        return result;
      },
    };
    stage = { azure: rig.azure, machine: await rig.azure.bootMachine(ids.machine), folder, memory, steps, cleanup };
  });
  afterEach(async () => {
    await cleanup.run();
    await stage.machine.close();
    await rig.close();
  });

  const refused =
    "wrong resource group, wrong subscription, other tenant, expired token, replayed token of another audience";

  it("goes by Vault's rules where there is none, and says what was skipped", async () => {
    const skipped = await rehearseVault(stage, { missing: "neither vault nor bao is on PATH" });
    expect(told).toEqual({ "Vault's login rules, over the VM's token": `accepted; refused: ${refused}` });
    expect(skipped).toEqual([
      "skipped: Vault's server and agent, a secret read through it, renewal: neither vault nor bao is on PATH",
    ]);
  });

  const unless = "missing" in program ? ` (skipped: ${program.missing})` : "";
  it.skipIf("missing" in program)(`is real where there is one${unless}`, { timeout: 240_000 }, async () => {
    expect(await rehearseVault(stage)).toEqual([]);
    expect(told).toEqual({
      [`${flavour}: server with the azure auth method`]: undefined,
      [`${flavour}: the agent logs in, renders, serves`]: undefined,
      [`${flavour}: the agent renews, and logs in again at the end`]: undefined,
      [`${flavour}: refusals`]: refused,
    });
  });
});
