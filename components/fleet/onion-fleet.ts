import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { readably } from "../process/readable-error";
import type { KeyHolder } from "../vault/front-end-key";
import { type OnionVmArgs, pruneArgs } from "../vm/onion-vm";
import { statusContainer, statusUrl, statusWriter } from "../vm/status/status-container";
import { userData } from "../vm/user-data";
import { type FleetMachine, fleetMachine } from "./fleet-machine";
import { type FleetNetwork, fleetNetwork, fleetSubnet } from "./fleet-network";
import type { FleetSettings } from "./fleet-settings";
import { frontEndMachine } from "./front-end-machine";

export interface OnionFleetArgs extends Omit<OnionVmArgs, "status"> {
  readonly settings: FleetSettings;
  readonly status: NonNullable<OnionVmArgs["status"]>;
  readonly frontEnd: {
    readonly stack: string;
    readonly imageId: pulumi.Input<string>;
    readonly images: OnionVmArgs["images"];
    readonly holder: KeyHolder;
    /** Its machines wait for these. */
    readonly ready: readonly pulumi.Resource[];
  };
}

/**
 * Several machines behind one onion address, and the front end that publishes them under it. Replicas are made one after
 * the other, each once the one before has published and a front end has taken it in; what they replace goes last, or, one
 * by one, before each of them.
 *
 *     const fleet = new OnionFleet("vm", { stack, location, imageId, identity, settings, frontEnd, ...config.machine });
 *     export const replicaIds = fleet.vmIds;
 */
export class OnionFleet extends pulumi.ComponentResource {
  readonly vmIds: pulumi.Output<string[]>;

  constructor(name: string, args: OnionFleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:OnionFleet", name, {}, opts);
    const { location, resourceGroupName, stack } = args;
    const place = { resourceGroupName, location };
    const network = fleetNetwork(this, place, args.ownSubnetId ?? fleetSubnet(this, name, { ...place, stack }).id);
    const writing = addStatus(this, name, args);
    const replicas = addReplicas(this, name, network, writing, args);
    const frontEnds = addFrontEnds(this, name, network, writing, args);
    const machines = [...replicas, ...frontEnds];
    const served = { parent: this, dependsOn: machines.map(({ serving }) => serving) };
    new Command(`${name}-prune`, pruneArgs(args), served);
    new Command(`${name}-front-end-prune`, pruneArgs(args.frontEnd), served);

    this.vmIds = pulumi.all(machines.map(({ id }) => id));
    this.registerOutputs({ vmIds: this.vmIds });
  }
}

/** The machines' status is where a single machine's is, and both identities may write there. */
function addStatus(parent: pulumi.Resource, name: string, args: OnionFleetArgs): pulumi.Resource[] {
  const { frontEnd, identity, status } = args;
  const [container, ...own] = statusContainer(parent, name, { ...status, writer: identity.principalId });
  const { principalId: writer } = frontEnd.holder.identity;
  return [container, ...own, statusWriter(parent, `${name}-front-end`, container, { ...status, writer })];
}

function addReplicas(
  parent: pulumi.Resource,
  name: string,
  network: FleetNetwork,
  writing: readonly pulumi.Resource[],
  args: OnionFleetArgs,
): FleetMachine[] {
  const { replicas, rollout } = args.settings;
  return inTurn(replicas, (number, before) =>
    fleetMachine(parent, `${name}-replica-${number}`, `replica-${number}`, {
      ...args,
      network,
      zones: zoneOf(args, number),
      userData: replicaUserData(args, number),
      statusUrl: statusUrl(args.status.account),
      awaitedBy: "await-replica",
      oneByOne: rollout === "oneByOne",
      ready: [...args.ready, ...writing, ...before],
    }),
  );
}

/** Not after the replicas, which wait until a front end has taken them in. */
function addFrontEnds(
  parent: pulumi.Resource,
  name: string,
  network: FleetNetwork,
  writing: readonly pulumi.Resource[],
  args: OnionFleetArgs,
): FleetMachine[] {
  const { frontEnd, settings } = args;
  return inTurn(settings.frontEnd.replicas, (number, before) =>
    fleetMachine(parent, `${name}-front-end-${number}`, `front-end-${number}`, {
      ...args,
      ...frontEndMachine(args, settings),
      ...{ network, imageId: frontEnd.imageId, identity: frontEnd.holder.identity },
      zones: zoneOf(args, number),
      userData: undefined,
      statusUrl: statusUrl(args.status.account),
      awaitedBy: "await-machine",
      // Without one the address lives on for hours: but it costs little to have both for minutes.
      oneByOne: false,
      ready: [...frontEnd.ready, ...writing, ...before],
    }),
  );
}

/** One machine after the other: each waits for these of the one before, which succeed once it serves. */
function inTurn(
  count: number,
  make: (number: number, before: readonly pulumi.Resource[]) => FleetMachine,
): FleetMachine[] {
  const made: FleetMachine[] = [];
  for (let number = 1; number <= count; number++) {
    const before = made.slice(-1).map(({ serving }) => serving);
    made.push(make(number, before));
  }
  return made;
}

/** One zone after the other, and from the first one again. */
function zoneOf({ zones }: OnionFleetArgs, number: number): OnionFleetArgs["zones"] {
  return zones.slice((number - 1) % zones.length || 0).slice(0, 1);
}

/** Which replica it is, and its sealed files where newer ones come that way. */
function replicaUserData({ stack, userDataSecrets }: OnionFleetArgs, replica: number): pulumi.Output<string> {
  return pulumi
    .output(userDataSecrets ?? {})
    .apply((digests) => readably(() => userData(stack, Object.keys(digests), { replica })));
}
