import * as pulumi from "@pulumi/pulumi";
import { frontEndOf } from "../config/stack-folder";
import { frontEndMachine } from "../fleet/front-end-machine";
import { OnionFleet } from "../fleet/onion-fleet";
import { NixosImage, type NixosImageArgs } from "../image/nixos-image";
import { type SealedSecrets, sealSecrets } from "../secrets/sealed-secrets";
import type { KeyHolder } from "../vault/front-end-key";
import type { SealingVault } from "../vault/sealing-vault";
import { imageMachine } from "../vm/machine";
import { OnionVm, type OnionVmArgs } from "../vm/onion-vm";
import { statusUrl } from "../vm/status/status-container";
import type { StackConfig } from "./config";
import { deployedFacts } from "./facts";
import { frontEndFacts } from "./fleet-facts";
import { withEitherParent } from "./network";
import { inPlace, type Placed } from "./place";

type Sealing = Omit<Parameters<typeof sealSecrets>[1], "keyUrl" | "ready">;

/** A stack's sealed secrets by who opens them; `hostnames` are all. */
export interface Sealed {
  readonly machines: SealedSecrets;
  /** The addresses' keys, where a front end has them. */
  readonly frontEnd: (SealedSecrets & { readonly holder: KeyHolder }) | undefined;
  readonly hostnames: SealedSecrets["hostnames"];
}

/** Seals what the machines open by the vault's key, and what their front end opens by its own. */
export function sealFor({ fleet, secrets }: StackConfig, vault: SealingVault, sealing: Sealing): Sealed {
  const machines = sealSecrets(secrets, { ...sealing, keyUrl: vault.keyUrl, ready: vault.sealersReady });
  const { frontEnd: holder } = vault;
  if (fleet === undefined || holder === undefined)
    return { machines, frontEnd: undefined, hostnames: machines.hostnames };
  const addresses = sealSecrets(fleet.keys, { ...sealing, keyUrl: holder.keyUrl, ready: holder.sealersReady });
  const hostnames = pulumi
    .all([machines.hostnames, addresses.hostnames])
    .apply(([own, ofAll]) => ({ ...own, ...ofAll }));
  return { machines, frontEnd: { ...addresses, holder }, hostnames };
}

/** Makes the one machine, or several and their front end. @returns the machines' ids; of one, a single id */
export function makeMachines(
  config: StackConfig,
  { frontEnd, hostnames }: Sealed,
  vmArgs: OnionVmArgs,
  imageArgs: NixosImageArgs,
): pulumi.Output<string | string[]> {
  const at = withEitherParent(inPlace("vm", config), config);
  const { fleet } = config;
  const { status } = vmArgs;
  if (fleet === undefined || frontEnd === undefined || status === undefined) {
    return new OnionVm(at.name, vmArgs, formerly(at, "OnionFleet")).vmId;
  }
  const stack = frontEndOf(config.stack);
  const { holder } = frontEnd;
  const { clientId } = holder.identity;
  const known = { keyUrl: holder.keyUrl, clientId, hostnames, statusUrl: statusUrl(status.account) };
  const place = inPlace("front-end-image", config);
  const image = new NixosImage(
    place.name,
    {
      ...{
        ...imageArgs,
        stack,
        machine: imageMachine(frontEndMachine(config.machine, fleet)),
        sealed: frontEnd.digests,
        ready: [...imageArgs.ready, ...frontEnd.ready],
      },
      facts: () => deployedFacts(config, known, frontEndFacts),
    },
    place.options,
  );
  const images = { ...vmArgs.images, containerUrl: image.containerUrl, current: image.blobName };
  const ready = [...holder.machineReady, ...image.ready];
  const args = {
    ...vmArgs,
    settings: fleet,
    status,
    frontEnd: { stack, imageId: image.imageId, images, holder, ready },
  };
  return new OnionFleet(at.name, args, formerly(at, "OnionVm")).vmIds;
}

/** One machine becomes several, and back: what both have, such as where they write their status, stays. */
function formerly({ options }: Placed, type: string): pulumi.ComponentResourceOptions {
  return { ...options, aliases: [...(options.aliases ?? []), { type: `sealed-onion:index:${type}` }] };
}
