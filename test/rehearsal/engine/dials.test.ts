import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { DISK_BUILDER } from "../scenario";
import { changesOf } from "./engine";
import { registerFeature } from "./make-in-azure";
import { openStage } from "./open-stage";
import type { Stage } from "./stage";
import { searchState, withConfig } from "./story-tools";
import { skippedFor } from "./tools";

const MACHINE = "Microsoft.Compute/virtualMachines";

/** A disk encryption set that somebody else made. */
function encryptionSet({ azure: { cloud } }: Stage): string {
  const type = "Microsoft.Compute/diskEncryptionSets";
  const id = `/subscriptions/${cloud.subscriptionId}/resourceGroups/keys/providers/${type}/disks`;
  return cloud.put({ id, type, name: "disks", location: "westeurope", properties: {} }).id;
}

type Dials = Readonly<Record<string, unknown>>;
type Turn = readonly [name: string, dials: Dials | ((stage: Stage) => Dials), type: string, has: object];

/** One turn after the other of one stack: what is set, and what of it Azure then has. */
const TURNS: readonly Turn[] = [
  ["a NAT gateway", { outbound: "natGateway" }, "Microsoft.Network/natGateways", { sku: { name: "Standard" } }],
  [
    "purge protection and role assignments",
    { purgeProtection: true, authorization: "rbac" },
    "Microsoft.KeyVault/vaults",
    { properties: { enablePurgeProtection: true, enableRbacAuthorization: true } },
  ],
  [
    "an OS disk of its own type, size and encryption set",
    (stage) => ({ osDisk: { type: "Premium_LRS", sizeGiB: 64, encryptionSet: encryptionSet(stage) } }),
    MACHINE,
    {
      properties: {
        storageProfile: { osDisk: { diskSizeGB: 64, managedDisk: { storageAccountType: "Premium_LRS" } } },
      },
    },
  ],
  [
    "an ephemeral OS disk, encrypted at the host",
    { osDisk: {}, vmSize: "Standard_D2ds_v5", ephemeralOsDisk: true, security: { encryptionAtHost: true } },
    MACHINE,
    { properties: { storageProfile: { osDisk: { diffDiskSettings: { option: "Local" } } } } },
  ],
  [
    "a spot machine in a zone, with a vTPM, from a gallery",
    {
      ...{ ephemeralOsDisk: false, spot: true, zones: [2], security: { trustedLaunch: true } },
      image: { publish: "gallery", targetRegions: [{ name: "westeurope" }, { name: "northeurope", replicas: 2 }] },
    },
    MACHINE,
    { zones: ["2"], properties: { priority: "Spot", securityProfile: { uefiSettings: { vTpmEnabled: true } } } },
  ],
  [
    "an Arm machine",
    { vmSize: "Standard_D2ps_v5", spot: false, zones: [], security: {}, image: { publish: "gallery" } },
    MACHINE,
    { properties: { hardwareProfile: { vmSize: "Standard_D2ps_v5" } } },
  ],
  [
    "a data disk, tags and another operator",
    { dataDisk: { sizeGib: 8, type: "Premium_LRS" }, tags: { team: "web" }, adminUser: "alice" },
    MACHINE,
    {
      tags: { team: "web" },
      properties: { osProfile: { adminUsername: "alice" }, storageProfile: { dataDisks: [{}] } },
    },
  ],
];

function tell(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), engine);
    registerFeature(stage, "EncryptionAtHost");
    await stage.engine.up();
  }, 180_000);
  afterAll(() => cleanup.run(), 60_000);

  it.each(TURNS)(
    "%s: the preview says what is done, Azure has it, and then nothing is left to do",
    async (_, turned, type, has) => {
      const { image, ...dials } = typeof turned === "function" ? turned(stage) : turned;
      const built = image === undefined ? {} : { image: { ...(image as object), builder: DISK_BUILDER } };
      const texts = Object.entries({ ...dials, ...built }).map(([key, value]) => [
        `sealed-onion:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      await withConfig(stage, Object.fromEntries(texts) as Record<string, string>);
      const planned = changesOf(await stage.engine.preview());
      const run = await stage.engine.up();
      expect(changesOf(run)).toEqual(planned);
      const found = stage.azure.cloud.list({ type });
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject(has);
      const again = await stage.engine.up();
      expect(changesOf(again)).toEqual([]);
      await searchState(stage, [run, again]);
    },
    300_000,
  );

  it("and all of it goes again", async () => {
    await stage.engine.destroy();
    expect(stage.azure.cloud.list({ type: MACHINE })).toEqual([]);
    expect(stage.azure.cloud.list({ type: "Microsoft.Compute/diskEncryptionSets" })).toHaveLength(1);
  }, 300_000);
}

const alone = skippedFor("sops");
describe.skipIf(alone)(`dials in turn, under the engine in process${alone}`, () => tell("in-process"));
const both = skippedFor("sops", "pulumi");
describe.skipIf(both)(`dials in turn, under Pulumi's own engine${both}`, () => tell("pulumi"));
