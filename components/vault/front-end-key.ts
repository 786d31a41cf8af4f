import { Key, type KeyArgs } from "@pulumi/azure-native/keyvault/key";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity";
import * as pulumi from "@pulumi/pulumi";
import { assignOnKey, type KeyAccess, type KeyGrants } from "./key-access";
import type { MachineIdentity } from "./machine-identity";

/** A key, who opens what is sealed by it, and what to wait for. */
export interface KeyHolder {
  /** `https://NAME.vault.azure.net/keys/KEY/VERSION` */
  readonly keyUrl: pulumi.Output<string>;
  readonly identity: MachineIdentity;
  readonly sealersReady: readonly pulumi.Resource[];
  readonly machineReady: readonly pulumi.Resource[];
}

export interface FrontEndKeyArgs extends Pick<KeyAccess, "guard" | "deployer" | "sealers"> {
  readonly stack: string;
  readonly place: { readonly resourceGroupName: pulumi.Input<string>; readonly location: string };
  /** The inputs of the vault's own key, of which this one differs by name. */
  readonly keyArgs: KeyArgs & { readonly keyName: string };
  readonly keyOptions: pulumi.CustomResourceOptions;
  readonly roles: KeyGrants["roles"];
}

/**
 * The key that seals the onion addresses' own keys where several machines serve, and the identity of their front end,
 * which alone may decrypt with it: a replica that is taken over does not hold the address.
 */
export function frontEndKey(parent: pulumi.Resource, name: string, args: FrontEndKeyArgs): KeyHolder {
  const { deployer, guard, keyArgs, keyOptions, place, roles, sealers, stack } = args;
  if (roles === undefined)
    throw new pulumi.RunError("a front end's key needs rights on one key: set authorization rbac");
  const keyName = keyArgs.keyName.replace(/^sealing/, "front-end");
  const key = new Key(`${name}-front-end-key`, { ...keyArgs, keyName }, keyOptions);
  const identity = new UserAssignedIdentity(
    `${name}-front-end-identity`,
    { ...place, resourceName: `sealed-onion-${stack}-front-end` },
    { parent },
  );
  const machine = { suffix: "machine", objectId: identity.principalId, type: "ServicePrincipal" } as const;
  const access = { guard, keyId: key.id, deployer, sealers, machine };
  const grants = assignOnKey(parent, `${name}-front-end`, roles, access);
  return {
    keyUrl: key.keyUriWithVersion,
    identity: { id: identity.id, clientId: identity.clientId, principalId: identity.principalId },
    sealersReady: grants.sealers,
    machineReady: grants.machine,
  };
}
