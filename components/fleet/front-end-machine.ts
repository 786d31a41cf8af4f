import { DEFAULT_HARDWARE } from "../vm/hardware";
import type { MachineSettings } from "../vm/machine";
import type { FleetSettings } from "./fleet-settings";

/** What a front end runs on: a size of its own on an ordinary disk, never one that Azure takes away for its price. */
export function frontEndMachine(machine: MachineSettings, { frontEnd }: FleetSettings): MachineSettings {
  const { osDisk, spot } = DEFAULT_HARDWARE;
  return { ...machine, vmSize: frontEnd.vmSize, ephemeralOsDisk: false, osDisk, spot };
}
