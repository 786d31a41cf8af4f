import type { Inputs, PlannedChange } from "./plan";

const DISK = "azure-native:compute:Disk";

/** Whether a machine has a disk that it cannot share with the one after it. */
export function hasDataDisk({ old, next }: PlannedChange): boolean {
  return [old, next].some(({ storageProfile }) => {
    const { dataDisks } = (storageProfile ?? {}) as Inputs;
    return Array.isArray(dataDisks) && dataDisks.length > 0;
  });
}

/** What becomes of what is on the data disk, where it does not simply stay. */
export function dataDiskAlarms(changes: readonly PlannedChange[]): string[] {
  const disks = changes.filter(({ type }) => type === DISK);
  const isMade = disks.some(({ kind }) => kind === "create");
  const goes = disks.some(({ kind }) => kind === "delete");
  if (disks.some(({ kind }) => kind === "replace")) {
    return ["the data disk would be another one, which Azure refuses while the one of that name is there"];
  }
  if (isMade && goes)
    return [
      "the machine gets a new, empty data disk: what is on the old one stays there, and goes with the old resource group",
    ];
  return goes
    ? ["the data disk is let go of: it stays in the resource group, and costs, until it or the group is deleted"]
    : [];
}
