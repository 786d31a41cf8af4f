import { Key } from "@pulumi/azure-native/keyvault/key";
import { Vault } from "@pulumi/azure-native/keyvault/vault";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting";
import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { azureName } from "../azure/azure-name";
import type { AzureCloud } from "../azure/clouds";
import type { Deployer } from "../azure/deployer";
import { diagnosticArgs } from "../azure/diagnostics";
import { type Existing, partsOfId } from "../azure/existing/existing";
import type { Grants } from "../azure/existing/grants";
import type { Looked } from "../azure/existing/look";
import { programCommand } from "../config/project";
import type { NetworkPlace } from "../network/closed-network";
import type { GuardedNetwork } from "../network/guarded-network";
import { type NetworkGuard, vaultNetwork } from "../network/network-guard";
import { readably } from "../process/readable-error";
import type { VaultSettings } from "./vault";

/** What somebody else has granted, and for what besides the key. */
export interface StackGrants {
  readonly ids: Grants;
  /** Whether sealers upload as themselves. */
  readonly uploads: boolean;
  /** Whether the machine writes its status. */
  readonly status: boolean;
  /** Whether the machine reads the systems that it takes in place. */
  readonly systems: boolean;
}

/** What a stack's vault is to be. */
export interface StackVault extends VaultSettings {
  /** The stack's name, which is part of the names in Azure. */
  readonly stack: string;
  /** Azure's name of the region. */
  readonly location: string;
  /** A group that the program has at hand, for vault and identity. @default existing.resourceGroup, else a new one */
  readonly resourceGroupName?: pulumi.Input<string>;
  /** Whether group, vault and key are protected from deletion. */
  readonly production: boolean;
  /** What somebody else made and keeps. @default nothing */
  readonly existing?: Existing;
  /** Role assignments that somebody else made, where the program makes none. @default the program's */
  readonly grants?: StackGrants | undefined;
  /** The network that the stack's own vault is to be reached from. @default everybody's */
  readonly network?: ((place: NetworkPlace) => GuardedNetwork) | undefined;
}

/** A vault and its key, made or found. */
export interface VaultAndKey {
  readonly vaultName: pulumi.Output<string>;
  /** `https://NAME.vault.azure.net/` */
  readonly vaultUri: pulumi.Output<string>;
  /** The group that the vault is in, which need not be the stack's. */
  readonly group: { readonly name: pulumi.Output<string>; readonly id: pulumi.Output<string> };
  readonly keyId: pulumi.Output<string>;
  /** `https://NAME.vault.azure.net/keys/KEY/VERSION` */
  readonly keyUrl: pulumi.Output<string>;
  /** Rights are given after it is there, and taken before it goes. */
  readonly guard: pulumi.Resource | undefined;
  /** What asks the vault waits for these: its private endpoint, where it has one. */
  readonly reachable: readonly pulumi.Resource[];
  /** What another key of the stack's own vault is made of; undefined in somebody else's vault. */
  readonly another: { readonly keyArgs: KeyInputs; readonly keyOptions: pulumi.CustomResourceOptions } | undefined;
}

type KeyInputs = ReturnType<typeof keyArgs>;

interface Place {
  readonly group: VaultAndKey["group"];
  readonly uniqueName: pulumi.Output<string>;
  readonly looked: pulumi.Output<Looked>;
  readonly deployer: Deployer;
  readonly cloud: AzureCloud;
  readonly network: NetworkGuard | undefined;
}

/** The stack's vault and key: of its own, or a key of its own in an existing vault, or an existing key. */
export function vaultAndKey(parent: pulumi.Resource, name: string, args: StackVault, place: Place): VaultAndKey {
  const { vault, key } = args.existing ?? {};
  if (vault === undefined) return ownVault(parent, name, args, place);
  const { names, resourceGroupName, subscriptionId } = partsOfId(vault);
  // Everything waits until what exists was looked at.
  const after = (text: string) => place.looked.apply(() => text);
  const found = {
    vaultName: after(names[0] ?? ""),
    vaultUri: after(`https://${names[0]}.${place.cloud.vault}/`),
    group: {
      name: after(resourceGroupName),
      id: after(`/subscriptions/${subscriptionId}/resourceGroups/${resourceGroupName}`),
    },
    guard: undefined,
    reachable: [],
    another: undefined,
  };
  if (key !== undefined) {
    return { ...found, keyId: after(key), keyUrl: place.looked.apply(({ keyUrl = "" }) => keyUrl) };
  }
  const wanted = keyArgs(args, `sealing-${args.stack}`, found.group.name, found.vaultName);
  const own = new Key(`${name}-key`, wanted, { ...keptOptions(parent, args), retainOnDelete: true });
  return { ...found, keyId: own.id, keyUrl: own.keyUriWithVersion };
}

/** None is deleted to make room for another: where a name is taken, that is said before anything is touched. */
export function keptOptions(parent: pulumi.Resource, { production }: Pick<StackVault, "production">) {
  return { parent, protect: production, deleteBeforeReplace: false };
}

function ownVault(parent: pulumi.Resource, name: string, args: StackVault, place: Place): VaultAndKey {
  const { cloud, group, network, uniqueName } = place;
  const kept = keptOptions(parent, args);
  const vault = new Vault(
    `${name}-vault`,
    { resourceGroupName: group.name, location: args.location, ...vaultArgs(args, place) },
    { ...kept, ignoreChanges: fixedFor(args) },
  );
  const workspace = args.existing?.workspace;
  if (workspace !== undefined) {
    new DiagnosticSetting(`${name}-logs`, diagnosticArgs(vault.id, workspace, ["AuditEvent"]), { parent });
  }
  vault.properties.apply((properties) => readably(() => checkRetention(args, properties)));
  // Azure has no way to delete a key of a vault but the data plane, which nobody here may use for that; and anybody who
  // goes back to an older image needs the key that sealed it. A key goes with its vault.
  const ofKey = keyArgs(args, "sealing", group.name, azureName(vault));
  const keyOptions = { ...kept, retainOnDelete: true };
  const key = new Key(`${name}-key`, ofKey, keyOptions);
  const guard = new Command(`${name}-guard`, guardArgs(uniqueName), { parent, dependsOn: [key] });
  return {
    vaultName: azureName(vault),
    // Not the vault's output, which a preview of any change to the vault could not tell.
    vaultUri: pulumi.interpolate`https://${uniqueName}.${cloud.vault}/`,
    group,
    keyId: key.id,
    keyUrl: key.keyUriWithVersion,
    guard,
    reachable: network?.connect(parent, `${name}-endpoint`, "vault", vault.id) ?? [],
    another: { keyArgs: ofKey, keyOptions },
  };
}

/** What Azure keeps as it was made, so that no plan promises to change it. */
function fixedFor({ purgeProtection }: StackVault): string[] {
  const days = "properties.softDeleteRetentionInDays";
  return purgeProtection ? [days] : [days, "properties.enablePurgeProtection"];
}

/** @throws where the configuration asks for another time than the vault has */
function checkRetention({ softDeleteDays }: StackVault, has: { softDeleteRetentionInDays?: number } | undefined) {
  const fixed = has?.softDeleteRetentionInDays ?? softDeleteDays;
  if (fixed === softDeleteDays) return;
  throw new Error(
    `softDeleteDays is fixed once the vault exists, this one has ${fixed}, got ${softDeleteDays}: set sealed-onion:softDeleteDays to ${fixed}`,
  );
}

/** Does nothing but keep the vault from being deleted while something committed can be opened by no other. */
function guardArgs(vault: pulumi.Input<string>) {
  return {
    delete: programCommand("release-vault"),
    environment: { VAULT: vault },
    logging: "stderr",
  } as const;
}

/** A vault with an explicit authorization mode: Azure's own default changed in API version 2026-02-01. */
function vaultArgs(args: StackVault, { deployer, network, uniqueName }: Place) {
  return {
    vaultName: uniqueName,
    properties: {
      tenantId: deployer.tenantId,
      sku: { family: "A", name: args.keyProtection === "hsm" ? "premium" : "standard" } as const,
      enableRbacAuthorization: args.authorization === "rbac",
      enableSoftDelete: true,
      softDeleteRetentionInDays: args.softDeleteDays,
      // Azure refuses an explicit false.
      ...(args.purgeProtection ? { enablePurgeProtection: true } : {}),
      enabledForDeployment: false,
      enabledForDiskEncryption: false,
      enabledForTemplateDeployment: false,
      ...vaultNetwork(network),
    },
  };
}

/**
 * The key's name says what it is made of: Azure answers a request for another size under the same name with the key
 * that is there.
 */
function keyArgs(
  args: StackVault,
  called: string,
  resourceGroupName: pulumi.Input<string>,
  vault: pulumi.Input<string>,
) {
  const isHsm = args.keyProtection === "hsm";
  return {
    resourceGroupName,
    vaultName: vault,
    keyName: `${called}-${args.keySize}${isHsm ? "-hsm" : ""}`,
    properties: { kty: isHsm ? "RSA-HSM" : "RSA", keySize: args.keySize, keyOps: ["encrypt", "decrypt"] },
  };
}
