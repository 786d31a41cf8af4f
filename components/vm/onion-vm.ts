import type { Disk } from "@pulumi/azure-native/compute/disk";
import { VirtualMachine } from "@pulumi/azure-native/compute/virtualMachine";
import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { azureName } from "../azure/azure-name";
import { programCommand } from "../config/project";
import { closedNic, closedSubnet } from "../network/closed-network";
import { subnetNic } from "../network/subnet-nic";
import { readably } from "../process/readable-error";
import type { Release } from "../system/publish/release";
import type { MachineIdentity } from "../vault/machine-identity";
import { dataDisk } from "./data-disk";
import { HARDWARE_REPLACED_ON, hardwareArgs, hardwareKeeper } from "./hardware-args";
import type { MachineSettings } from "./machine";
import { type StatusContainerArgs, statusContainer, statusUrl } from "./status/status-container";
import { userData } from "./user-data";

export interface OnionVmArgs extends MachineSettings {
  /** The stack's name. */
  readonly stack: string;
  /** Azure's name of the region. */
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** What the VM boots. */
  readonly imageId: pulumi.Input<string>;
  /** As whom the VM opens its secrets. */
  readonly identity: MachineIdentity;
  /** The VM waits for these: its right to open secrets, and its image. */
  readonly ready: readonly pulumi.Resource[];
  /** Digests of sealed files by secret name, where the VM takes newer ones from its user data. @default none */
  readonly userDataSecrets: Readonly<Record<string, pulumi.Input<string>>> | undefined;
  /** An existing subnet for the VM's NIC, with a way out of its own: `outbound` then means nothing. @default a new network */
  readonly subnetId?: pulumi.Input<string>;
  /** The stack's own subnet, where that is made before the machine: see `GuardedNetwork`. @default a new network */
  readonly ownSubnetId?: pulumi.Input<string> | undefined;
  /** What the machine is asked to run, where it takes systems in place. @default what its image has */
  readonly release?: pulumi.Input<Release> | undefined;
  /** Where images are uploaded to, and how many earlier ones stay there. */
  readonly images: ImageStore;
  /** Where the machine writes how it is; without, `up` does not wait until it serves. */
  readonly status: Pick<StatusContainerArgs, "account" | "granted" | "subscriptionId"> | undefined;
}

/** What a machine itself follows from. */
type MachineArgs = Omit<OnionVmArgs, "ready" | "images" | "status">;

/** The images of a stack. */
export interface ImageStore {
  readonly containerUrl: pulumi.Input<string>;
  /** The blob of the VM's image. */
  readonly current: pulumi.Input<string>;
  /** Earlier blobs that stay for a rollback. */
  readonly keep: number;
}

/** From the made machine to the published address: minutes, more where Azure is slow. */
export const PATIENCE_SECONDS = 900;

/** Azure refuses a change of these in place. Source: pulumi-azure-native issue 1117, VM API `PropertyChangeNotAllowed`. */
export const REPLACED_ON = ["storageProfile.imageReference", "osProfile", ...HARDWARE_REPLACED_ON];

/**
 * A VM that nothing reaches from outside, with an identity that opens its secrets. It is replaced, not changed, when
 * its image changes: the new one is made while the old one serves, so a refusal leaves the old one as it is. With a data
 * disk the old one goes first, as the disk belongs to one machine. Images that nobody needs any more go afterwards.
 *
 *     const vm = new OnionVm("vm", { stack, location, imageId, identity, ready, ...config.machine, ...vault });
 *     export const vmId = vm.vmId;
 */
export class OnionVm extends pulumi.ComponentResource {
  readonly vmId: pulumi.Output<string>;

  constructor(name: string, args: OnionVmArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:OnionVm", name, {}, opts);
    const vmName = pulumi.interpolate`sealed-onion-${args.stack}-${generationOf(this, name, args)}`;
    const nic = nicOf(this, name, { ...args, vmName });
    const writing = addStatus(this, name, args);
    const data = args.dataDisk && dataDisk(this, name, { ...args, ...args.dataDisk, zone: args.zones[0] });
    const machine = new VirtualMachine(`${name}-machine`, machineArgs(args, { vmName, nicId: nic.id, data }), {
      parent: this,
      dependsOn: [...args.ready, ...writing],
      // Its name and its NIC's are not the old one's: both can be there, but for a disk that one machine has.
      deleteBeforeReplace: data !== undefined,
      replaceOnChanges: REPLACED_ON,
    });
    const { release, status } = args;
    const serving = status && awaitMachine(this, name, { containerUrl: statusUrl(status.account), machine, release });
    new Command(`${name}-prune`, pruneArgs(args), { parent: this, dependsOn: [serving ?? machine] });

    this.vmId = machine.id;
    this.registerOutputs({ vmId: this.vmId });
  }
}

/** Part of the names of a machine and of what belongs to it alone: another one where another machine is needed. */
function generationOf(parent: pulumi.Resource, name: string, args: OnionVmArgs): pulumi.Output<string> {
  const { adminUser, ephemeralOsDisk, imageId, location, sshPublicKey } = args;
  const hardware = hardwareKeeper(args);
  const keepers = {
    ...{ imageId, ephemeralOsDisk: `${ephemeralOsDisk}`, adminUser, sshPublicKey, location },
    ...(hardware === undefined ? {} : { hardware }),
  };
  return new RandomString(`${name}-generation`, { length: 6, special: false, upper: false, keepers }, { parent })
    .result;
}

/** In somebody else's subnet, in the stack's that was made before, or in one that is made with it. */
function nicOf(parent: pulumi.Resource, name: string, args: OnionVmArgs & { vmName: pulumi.Input<string> }) {
  const { subnetId } = args;
  if (subnetId !== undefined) return subnetNic(parent, name, { ...args, subnetId });
  return closedNic(parent, name, { ...args, subnetId: args.ownSubnetId ?? closedSubnet(parent, name, args).id });
}

function addStatus(parent: pulumi.Resource, name: string, args: OnionVmArgs): readonly pulumi.Resource[] {
  const { identity, status } = args;
  if (status === undefined) return [];
  return statusContainer(parent, name, { ...status, writer: identity.principalId });
}

interface Awaited extends Pick<OnionVmArgs, "release"> {
  readonly containerUrl: pulumi.Input<string>;
  readonly machine: VirtualMachine;
}

/** Fails, with the machine's own reason, where it does not serve in time: the one before it is then left as it is. */
function awaitMachine(parent: pulumi.Resource, name: string, { containerUrl, machine, release }: Awaited): Command {
  const run = programCommand("await-machine");
  const asked = release && { RELEASE: pulumi.output(release).apply((known) => JSON.stringify(known)) };
  const environment = {
    ...{ CONTAINER_URL: containerUrl, MACHINE: azureName(machine), PATIENCE: `${PATIENCE_SECONDS}` },
    ...asked,
  };
  const args = { create: run, update: run, environment, logging: "stderr" } as const;
  return new Command(`${name}-serving`, args, { parent, dependsOn: [machine] });
}

/** What is made for one machine. */
export interface MachineParts {
  readonly vmName: pulumi.Input<string>;
  readonly nicId: pulumi.Input<string>;
  readonly data: Disk | undefined;
}

/** The inputs of a machine on its NIC. */
export function machineArgs(args: MachineArgs, { vmName, nicId, data }: MachineParts) {
  const { stack, identity, imageId, location, resourceGroupName } = args;
  return {
    resourceGroupName,
    location,
    vmName,
    ...hardwareArgs(args, imageId, data),
    identity: { type: "UserAssigned" as const, userAssignedIdentities: [identity.id] },
    networkProfile: { networkInterfaces: [{ id: nicId, primary: true, deleteOption: "Detach" }] },
    osProfile: loginProfile(args),
    // Without an account of its own: Azure keeps the console's log.
    diagnosticsProfile: { bootDiagnostics: { enabled: true } },
    ...userDataArgs(stack, args),
  };
}

/** No password, and no agent that would run what others send: the guest has neither. */
function loginProfile({ stack, adminUser, sshPublicKey }: MachineArgs) {
  const path = `/home/${adminUser}/.ssh/authorized_keys`;
  return {
    computerName: `sealed-onion-${stack}`,
    adminUsername: adminUser,
    allowExtensionOperations: false,
    linuxConfiguration: {
      disablePasswordAuthentication: true,
      provisionVMAgent: false,
      ssh: { publicKeys: [{ path, keyData: sshPublicKey }] },
    },
  };
}

/** Sealed files are read when all of them are sealed; they are no secret. */
function userDataArgs(
  stack: string,
  { release, userDataSecrets }: Pick<OnionVmArgs, "release" | "userDataSecrets">,
): { userData?: pulumi.Output<string> } {
  if (userDataSecrets === undefined && release === undefined) return {};
  const known = pulumi.all([pulumi.output(userDataSecrets ?? {}), pulumi.output(release)]);
  return {
    userData: known.apply(([digests, system]) => readably(() => userData(stack, Object.keys(digests), { system }))),
  };
}

/** Removes the images that nobody needs any more. */
export function pruneArgs({ stack, images }: Pick<OnionVmArgs, "stack" | "images">) {
  const run = programCommand("prune-images");
  const environment = {
    STACK: stack,
    CONTAINER_URL: images.containerUrl,
    CURRENT: images.current,
    KEEP: `${images.keep}`,
  };
  return { create: run, update: run, environment, logging: "stderr" } as const;
}
