import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NEW_IMAGE, NEW_VM } from "../../rehearsal/engine/story-tools";
import { configure, said, startStack, type TestStack } from "./test-stack";

// Each of these is two updates and as many previews.
vi.setConfig({ testTimeout: 180_000 });

const replacing = (name: string) => [`create-replacement ${name}`, `delete-replaced ${name}`, `replace ${name}`];
const GALLERY = { image: { publish: "gallery" } };
/** Another definition in the gallery: the image itself is uploaded no second time. */
const NEW_DEFINITION = [...["image-definition", "image-version"].flatMap(replacing), ...NEW_VM].sort();
/** Another processor: the image is another one, too. */
const NEW_ARCHITECTURE = [
  ...NEW_IMAGE.map((change) => change.replace("image-image", "image-version")),
  ...replacing("image-definition"),
].sort();

let stack: TestStack;
beforeEach(() => {
  stack = startStack();
});
afterEach(() => stack.close());

/** What is previewed and done of a change, and the machine that there is then. */
async function changesBy(before: object, change: object) {
  await stack.engine.setConfig(configure({ ...before }));
  await said(stack.engine);
  await stack.engine.setConfig(configure({ ...before, ...change }));
  const changes = await said(stack.engine);
  const vm = stack.cloud.get(String((await stack.engine.outputs()).vmId));
  return { changes, vm: { zones: vm?.zones, ...vm?.properties } };
}

describe("a dial of what the machine runs on is another machine, which is there before the old one goes", () => {
  it.each<[what: string, change: object, vm: object]>([
    ["an availability zone", { zones: [2] }, { zones: ["2"] }],
    [
      "a faster and larger disk",
      { osDisk: { type: "Premium_LRS", sizeGiB: 32 } },
      { storageProfile: { osDisk: { diskSizeGB: 32, managedDisk: { storageAccountType: "Premium_LRS" } } } },
    ],
    ["encryption at host", { security: { encryptionAtHost: true } }, { securityProfile: { encryptionAtHost: true } }],
    [
      "a spot price",
      { vmSize: "Standard_D2as_v5", spot: true },
      { priority: "Spot", evictionPolicy: "Deallocate", billingProfile: { maxPrice: -1 } },
    ],
    [
      "a place for an ephemeral disk",
      { vmSize: "Standard_D2ds_v5", ephemeralOsDisk: true, osDisk: { placement: "ResourceDisk" } },
      { storageProfile: { osDisk: { diffDiskSettings: { option: "Local", placement: "ResourceDisk" } } } },
    ],
  ])("%s", async (_, change, expected) => {
    stack.register("EncryptionAtHost");
    const { changes, vm } = await changesBy({}, change);
    expect(changes).toEqual([...NEW_VM].sort());
    expect(vm).toMatchObject(expected);
  });

  it("the key of a disk encryption set", async () => {
    const encryptionSet = stack.encryptionSet();
    const { changes, vm } = await changesBy({}, { osDisk: { encryptionSet } });
    expect(changes).toEqual([...NEW_VM].sort());
    const managedDisk = { storageAccountType: "StandardSSD_LRS", diskEncryptionSet: { id: encryptionSet } };
    expect(vm).toMatchObject({ storageProfile: { osDisk: { managedDisk } } });
  });
});

describe("what the image has to promise is another definition in the gallery", () => {
  it.each<[what: string, change: object, changes: readonly string[], vm: object]>([
    ["NVMe disks", { vmSize: "Standard_D2s_v6" }, NEW_DEFINITION, { storageProfile: { diskControllerType: "NVMe" } }],
    [
      "a vTPM, without Secure Boot",
      { security: { trustedLaunch: true } },
      NEW_DEFINITION,
      {
        securityProfile: {
          securityType: "TrustedLaunch",
          uefiSettings: { secureBootEnabled: false, vTpmEnabled: true },
        },
      },
    ],
    ["an Arm processor", { vmSize: "Standard_B2pts_v2" }, NEW_ARCHITECTURE, {}],
  ])("%s", async (_, change, expected, properties) => {
    const { changes, vm } = await changesBy(GALLERY, change);
    expect(changes).toEqual(expected);
    expect(vm).toMatchObject(properties);
  });
});
