import type * as pulumi from "@pulumi/pulumi";
import { NixosImage, type NixosImageArgs } from "../image/nixos-image";
import type { SealedSecrets } from "../secrets/sealed-secrets";
import type { Release } from "../system/publish/release";
import { SystemClosure, type SystemTrust } from "../system/system-closure";
import type { SealingVault } from "../vault/sealing-vault";
import type { StackConfig } from "./config";
import { inPlace } from "./place";

/** How a stack's machine gets what it runs. */
export interface Delivery {
  readonly image: NixosImage;
  /** What the machine is asked to run, where it takes systems in place. */
  readonly release: pulumi.Output<Release> | undefined;
  /** The machine waits for these. */
  readonly ready: readonly pulumi.Resource[];
}

export interface DeliveryArgs {
  readonly vault: Pick<SealingVault, "deployer" | "identity" | "keyUrl" | "sealersReady">;
  readonly secrets: SealedSecrets;
  readonly imageArgs: NixosImageArgs;
  /** The text of `facts.json`. @param trust where the machine takes systems in place */
  readonly facts: (endpoint: pulumi.Output<string>, trust: SystemTrust) => pulumi.Output<string>;
}

/**
 * The image, made again with each change; or, in place, the image that a first machine boots, and the system that every
 * machine brings itself to.
 */
export function deliver(config: StackConfig, args: DeliveryArgs): Delivery {
  const place = inPlace("image", config);
  if (config.update.update === "replace") {
    const image = new NixosImage(place.name, args.imageArgs, place.options);
    return { image, ready: image.ready, release: undefined };
  }
  const systems: SystemClosure[] = [];
  const once = (account: NixosImage["account"]) => {
    const system = addSystem(config, args, account);
    systems.push(system);
    const trust = { ...system.trust, clientId: args.vault.identity.clientId };
    // Linux names a disk when it finds it, which is before a machine has taken its first system.
    return { trust: config.machine.dataDisk ? { ...trust, dataDisk: true } : trust, built: system.built };
  };
  const image = new NixosImage(place.name, { ...args.imageArgs, once }, place.options);
  const [system] = systems;
  const release = system?.publish({ imageUrl: image.blobUrl, keep: config.image.keep, ready: image.ready });
  return { image, release, ready: [...image.ready, ...(system?.readerReady ?? [])] };
}

function addSystem(config: StackConfig, args: DeliveryArgs, account: NixosImage["account"]): SystemClosure {
  const { facts, imageArgs, secrets, vault } = args;
  const { sealed, stack } = imageArgs;
  const resourceGroupName = account.groupName; // of an account that was there, not the stack's own
  const { name, options } = inPlace("system", config);
  const given = {
    ...{ stack, resourceGroupName, account, sealed, recipients: config.recipients, ready: secrets.ready },
    keyUrl: vault.keyUrl,
    sealersReady: vault.sealersReady,
    subscriptionId: vault.deployer.subscriptionId,
    reader: vault.identity.principalId,
    granted: config.grants !== undefined,
    facts: (trust: SystemTrust) => facts(account.endpoint, trust),
  };
  return new SystemClosure(name, given, options);
}
