import { VirtualMachine } from "@pulumi/azure-native/compute/virtualMachine";
import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { azureName } from "../azure/azure-name";
import { programCommand } from "../config/project";
import { hardwareKeeper } from "../vm/hardware-args";
import type { MachineSettings } from "../vm/machine";
import { machineArgs, type OnionVmArgs, PATIENCE_SECONDS, REPLACED_ON } from "../vm/onion-vm";
import type { FleetNetwork } from "./fleet-network";

export interface FleetMachineArgs
  extends Pick<
    OnionVmArgs,
    "stack" | "location" | "resourceGroupName" | "imageId" | "identity" | "ready" | keyof MachineSettings
  > {
  readonly network: FleetNetwork;
  readonly userData: pulumi.Input<string> | undefined;
  /** `https://ACCOUNT.blob.core.windows.net/status` */
  readonly statusUrl: pulumi.Input<string>;
  /** The program that waits until it serves. */
  readonly awaitedBy: "await-machine" | "await-replica";
  /** Whether it goes before its successor is made. */
  readonly oneByOne: boolean;
}

/** A machine of a fleet, and what succeeds once it serves. */
export interface FleetMachine {
  readonly id: pulumi.Output<string>;
  readonly serving: pulumi.Resource;
}

/** One machine in a zone; another one where Azure would refuse the change, with another name, so that both can be there. */
export function fleetMachine(
  parent: pulumi.Resource,
  name: string,
  role: string,
  args: FleetMachineArgs,
): FleetMachine {
  const { network, oneByOne, ready, stack, userData, zones } = args;
  const vmName = pulumi.interpolate`sealed-onion-${stack}-${role}-${generationOf(parent, name, args)}`;
  const nic = network.nic(name, { vmName, zones: zones.map(String), after: ready });
  const machine = new VirtualMachine(
    `${name}-machine`,
    {
      ...machineArgs({ ...args, userDataSecrets: undefined }, { vmName, nicId: nic.id, data: undefined }),
      ...(userData === undefined ? {} : { userData }),
    },
    {
      parent,
      dependsOn: [...ready],
      deleteBeforeReplace: oneByOne,
      replaceOnChanges: [...REPLACED_ON, "hardwareProfile"],
    },
  );
  const run = programCommand(args.awaitedBy);
  const environment = { CONTAINER_URL: args.statusUrl, MACHINE: azureName(machine), PATIENCE: `${PATIENCE_SECONDS}` };
  const serving = new Command(
    `${name}-serving`,
    { create: run, update: run, environment, logging: "stderr" },
    { parent, dependsOn: [machine] },
  );
  return { id: machine.id, serving };
}

function generationOf(parent: pulumi.Resource, name: string, args: FleetMachineArgs): pulumi.Output<string> {
  const { adminUser, ephemeralOsDisk, imageId, location, sshPublicKey, vmSize } = args;
  const keepers = {
    // Its size, too: changed in place, a machine restarts, and nobody would wait for it before the next one does.
    ...{ imageId, adminUser, sshPublicKey, location, vmSize },
    ephemeralOsDisk: `${ephemeralOsDisk}`,
    hardware: hardwareKeeper(args) ?? "",
  };
  return new RandomString(`${name}-generation`, { length: 6, special: false, upper: false, keepers }, { parent })
    .result;
}
