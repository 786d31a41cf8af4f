import * as fs from "node:fs";
import * as path from "node:path";
import { familyOf } from "loopback-azure/resource-manager/quota";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { changesOf } from "./engine";
import { openStage } from "./open-stage";
import { refusal } from "./refusal";
import { type Stage, writeToken } from "./stage";
import { onlyResource } from "./stage-resources";
import { withConfig } from "./story-tools";
import { skippedFor } from "./tools";

const skipped = skippedFor("sops");

/** Of `components/doctor/failures.md`: each test does what the line that it reads says, as a person would type it. */
describe.skipIf(skipped)(`what failures.md says of the stack as a whole${skipped}`, () => {
  const cleanup = new Cleanup();
  let stage: Stage;
  let address: unknown;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), "in-process");
    await stage.engine.up();
    address = (await stage.engine.outputs()).onionHostname;
  }, 300_000);
  afterAll(() => cleanup.run(), 60_000);

  /** It goes on, ends, has nothing left to do, and serves at the same address. */
  async function healthy(): Promise<void> {
    await stage.engine.up();
    expect(changesOf(await stage.engine.up())).toEqual([]);
    const { onionHostname, vmId } = await stage.engine.outputs();
    expect(onionHostname).toBe(address);
    expect(stage.azure.cloud.get(String(vmId))).toBeDefined();
  }

  it("… the container is not there", async () => {
    const images = onlyResource(stage, "Microsoft.Storage/storageAccounts/blobServices/containers");
    stage.azure.cloud.remove(images.id);
    writeToken(stage);
    expect(await refusal(stage)).toMatch(/the container is not there: `pulumi up --refresh` makes it/);
    await stage.engine.refresh();
    await healthy();
  }, 300_000);

  it("… the storage account's firewall refuses this machine's address", async () => {
    const page = path.join(stage.folder, "nix", "site", "another.html");
    fs.writeFileSync(page, "another page"); // nothing to seal: storage is the first to be asked
    await withConfig(stage, { "sealed-onion:network": JSON.stringify({ allow: ["192.0.2.0/24"] }) });
    expect(await refusal(stage)).toMatch(
      /the storage account's firewall refuses this machine's address: add it to sealed-onion:network.allow/,
    );
    await withConfig(stage, { "sealed-onion:network": JSON.stringify({ allow: ["192.0.2.0/24", "198.51.100.7"] }) });
    await healthy();
  }, 300_000);

  it("QuotaExceeded", async () => {
    const machine = stage.azure.cloud.get(String((await stage.engine.outputs()).vmId));
    const { vmSize = "" } = (machine?.properties.hardwareProfile ?? {}) as { vmSize?: string };
    stage.azure.cloud.quotas.set(familyOf(vmSize), 2);
    writeToken(stage);
    expect(await refusal(stage)).toMatch(/QuotaExceeded|exceeding approved .* quota/i);
    await withConfig(stage, { "sealed-onion:vmSize": "Standard_D2s_v5" });
    expect(familyOf("Standard_D2s_v5")).not.toBe(familyOf(vmSize));
    await healthy();
  }, 300_000);
});
