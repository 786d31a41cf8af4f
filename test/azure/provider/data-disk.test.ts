import { beforeEach, describe, expect, it } from "vitest";
import type { PropertyMap } from "./values";
import { makeWorld, type World } from "./world";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

const EMPTY = { creationData: { createOption: "Empty" }, diskSizeGB: 32, sku: { name: "StandardSSD_LRS" } };
const makeDisk = (more: PropertyMap = {}) =>
  world.create("compute:Disk", { ...world.place, diskName: "data", ...EMPTY, ...more });
const withDisk = (id: string): PropertyMap => {
  const { storageProfile } = world.machine() as { storageProfile: PropertyMap };
  const dataDisks = [{ lun: 0, createOption: "Attach", managedDisk: { id } }];
  return { storageProfile: { ...storageProfile, dataDisks } };
};

describe("a data disk", () => {
  it("is attached to one machine, stays when that goes, and is then attached to the next", async () => {
    const { cloud, create, machine, remove } = world;
    const disk = await makeDisk();
    const made = await create("compute:VirtualMachine", machine(withDisk(disk.id)));
    await expect(remove(disk)).rejects.toThrow(`Status=409 Code="OperationNotAllowed" Message="Disk data is attached`);
    await remove(made);
    expect(cloud.get(disk.id)).toBeDefined();
    await create("compute:VirtualMachine", machine(withDisk(disk.id)));
  });

  it("is refused to a second machine, to one of another zone, and where it is not there", async () => {
    const { cloud, create, machine } = world;
    const disk = await makeDisk();
    const other = await create("compute:VirtualMachine", machine(withDisk(disk.id)));
    cloud.put({
      ...(cloud.get(other.id) ?? other),
      properties: { ...cloud.get(other.id)?.properties, networkProfile: {} },
    } as never);
    await expect(create("compute:VirtualMachine", machine({ vmName: "vm2", ...withDisk(disk.id) }))).rejects.toThrow(
      `Status=409 Code="AttachDiskWhileBeingDetached"`,
    );
    const zonal = await makeDisk({ diskName: "zonal", zones: ["1"] });
    await expect(create("compute:VirtualMachine", machine({ vmName: "vm3", ...withDisk(zonal.id) }))).rejects.toThrow(
      "cannot be attached to the VM because it is not in zone",
    );
    await expect(
      create("compute:VirtualMachine", machine({ vmName: "vm4", ...withDisk(`${disk.id}-none`) })),
    ).rejects.toThrow("InvalidResourceReference");
  });

  it("grows, and is never shrunk or made of something else", async () => {
    const { update } = world;
    const disk = await makeDisk();
    await update(disk, { diskSizeGB: 64 });
    await expect(update(disk, { diskSizeGB: 16 })).rejects.toThrow("cannot be shrunk");
    await expect(update(disk, { creationData: { createOption: "Copy" } })).rejects.toThrow("is not allowed");
    await expect(makeDisk({ diskName: "none", diskSizeGB: 0 })).rejects.toThrow("out of range");
  });
});
