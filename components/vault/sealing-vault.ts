import { Key } from "@pulumi/azure-native/keyvault/key";
import { Vault } from "@pulumi/azure-native/keyvault/vault";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup";
import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random/randomBytes";
import { RandomString } from "@pulumi/random/randomString";
import { azureName } from "../azure/azure-name";
import { vaultName } from "../azure/azure-names";
import { type Deployer, type Grantee, sealersOf, whoDeploys } from "../azure/deployer";
import { programCommand } from "../config/project";
import { readably } from "../process/readable-error";
import { frontEndKey, type KeyHolder } from "./front-end-key";
import { grantKeyAccess } from "./key-access";
import type { MachineIdentity } from "./machine-identity";
import { vaultsOf } from "./sealed-for-vault";
import type { VaultSettings } from "./vault";

export interface SealingVaultArgs extends VaultSettings {
  /** The stack's name, which is part of the names in Azure. */
  readonly stack: string;
  /** Azure's name of the region. */
  readonly location: string;
  /** An existing group for vault and identity. @default a new one, `sealed-onion-STACK-REGION` */
  readonly resourceGroupName?: pulumi.Input<string>;
  /** Whether group, vault and key are protected from deletion. */
  readonly production: boolean;
  /**
   * Pulumi's name of the key for fingerprints, where it outlives this vault: with another key, every secret would count
   * as changed. @default NAME-fingerprint-key
   */
  readonly fingerprintKeyName?: string;
  /** Whether a front end holds the addresses' keys, by a key and an identity of its own. @default false */
  readonly hasFrontEnd?: boolean;
}

/**
 * The Key Vault key that seals, the identity that opens, and who may do what with the key: the VM's identity may
 * decrypt, sealers may read, encrypt and decrypt, nobody may do more.
 *
 *     const vault = new SealingVault("vault", { stack: "dev", location: "westeurope", production: false, ...DEFAULT_VAULT });
 *     export const keyUrl = vault.keyUrl;
 */
export class SealingVault extends pulumi.ComponentResource {
  readonly resourceGroupName: pulumi.Output<string>;
  readonly resourceGroupId: pulumi.Output<string>;
  /** `https://NAME.vault.azure.net/` */
  readonly vaultUri: pulumi.Output<string>;
  /** `https://NAME.vault.azure.net/keys/KEY/VERSION` */
  readonly keyUrl: pulumi.Output<string>;
  readonly identity: MachineIdentity;
  /** The stack's own key for fingerprints of plaintexts, base64, a Pulumi secret. */
  readonly fingerprintKey: pulumi.Output<string>;
  readonly deployer: Deployer;
  /** Who may seal, and so may upload. */
  readonly sealers: readonly Grantee[];
  /** Sealing waits for these. */
  readonly sealersReady: readonly pulumi.Resource[];
  /** The VM waits for these. */
  readonly machineReady: readonly pulumi.Resource[];
  readonly frontEnd: KeyHolder | undefined;

  constructor(name: string, args: SealingVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:SealingVault", name, {}, opts);
    const child = { parent: this };
    // None is deleted to make room for another: where a name is taken, that is said before anything is touched.
    const kept = { parent: this, protect: args.production, deleteBeforeReplace: false };
    this.deployer = whoDeploys(this);
    this.sealers = sealersOf(args.sealers, this.deployer);

    const suffix = new RandomString(`${name}-suffix`, { length: 8, upper: false, special: false }, child);
    const { resourceGroupName, resourceGroupId } = groupOf(name, args, this.deployer, kept);
    const place = { resourceGroupName, location: args.location };
    const uniqueName = suffix.result.apply((random) => vaultName(args.stack, random));
    if (pulumi.runtime.isDryRun()) warnOfMove(this, vaultsOf(args.stack), uniqueName);
    const vault = new Vault(
      `${name}-vault`,
      { ...place, ...vaultArgs(args, uniqueName, this.deployer) },
      { ...kept, ignoreChanges: fixedFor(args) },
    );
    vault.properties.apply((properties) => readably(() => checkRetention(args, properties)));
    // Azure has no way to delete a key of a vault but the data plane, which nobody here may use for that; and whoever
    // goes back to an older image needs the key that sealed it. A key goes with its vault.
    const ofKey = keyArgs(args, resourceGroupName, azureName(vault));
    const keyOptions = { ...kept, retainOnDelete: true };
    const key = new Key(`${name}-key`, ofKey, keyOptions);
    const guard = new Command(`${name}-guard`, guardArgs(uniqueName), { parent: this, dependsOn: [key] });
    const identity = new UserAssignedIdentity(
      `${name}-identity`,
      { ...place, resourceName: `sealed-onion-${args.stack}` },
      child,
    );
    const { fingerprintKeyName = `${name}-fingerprint-key` } = args;
    const fingerprintKey = new RandomBytes(fingerprintKeyName, { length: 32 }, child);

    this.resourceGroupName = resourceGroupName;
    this.resourceGroupId = resourceGroupId;
    // Not the vault's output, which a preview of any change to the vault could not tell.
    this.vaultUri = pulumi.interpolate`https://${uniqueName}.vault.azure.net/`;
    this.keyUrl = key.keyUriWithVersion;
    this.identity = { id: identity.id, clientId: identity.clientId, principalId: identity.principalId };
    this.fingerprintKey = pulumi.secret(fingerprintKey.base64);
    const access = grantKeyAccess(this, name, {
      authorization: args.authorization,
      groupName: resourceGroupName,
      groupId: resourceGroupId,
      vaultName: azureName(vault),
      keyId: key.id,
      guard,
      deployer: this.deployer,
      sealers: this.sealers,
      machine: { suffix: "machine", objectId: identity.principalId, type: "ServicePrincipal" },
    });
    this.sealersReady = access.sealers;
    this.machineReady = access.machine;
    const { deployer, sealers } = this;
    const front = { ...access, stack: args.stack, place, keyArgs: ofKey, keyOptions, guard, deployer, sealers };
    this.frontEnd = args.hasFrontEnd ? frontEndKey(this, name, { ...front, roles: access.roles }) : undefined;
    this.registerOutputs({ keyUrl: this.keyUrl, vaultUri: this.vaultUri, resourceGroupName: this.resourceGroupName });
  }
}

/** The group that is given, which stays as it is, or one of the vault's own. */
function groupOf(
  name: string,
  args: SealingVaultArgs,
  { subscriptionId }: Deployer,
  kept: pulumi.CustomResourceOptions,
): { resourceGroupName: pulumi.Output<string>; resourceGroupId: pulumi.Output<string> } {
  if (args.resourceGroupName !== undefined) {
    const resourceGroupName = pulumi.output(args.resourceGroupName);
    const resourceGroupId = pulumi.interpolate`/subscriptions/${subscriptionId}/resourceGroups/${resourceGroupName}`;
    return { resourceGroupName, resourceGroupId };
  }
  // A group that is there keeps its name: groups were once named by the stack alone.
  const group = new ResourceGroup(`${name}-group`, groupArgs(args), { ...kept, ignoreChanges: ["resourceGroupName"] });
  return { resourceGroupName: azureName(group), resourceGroupId: group.id };
}

/** What Azure keeps as it was made, so that no plan promises to change it. */
function fixedFor({ purgeProtection }: SealingVaultArgs): string[] {
  const days = "properties.softDeleteRetentionInDays";
  return purgeProtection ? [days] : [days, "properties.enablePurgeProtection"];
}

/** @throws where the configuration asks for another time than the vault has */
function checkRetention({ softDeleteDays }: SealingVaultArgs, has: { softDeleteRetentionInDays?: number } | undefined) {
  const fixed = has?.softDeleteRetentionInDays ?? softDeleteDays;
  if (fixed === softDeleteDays) return;
  throw new Error(
    `softDeleteDays is fixed once the vault exists, this one has ${fixed}, got ${softDeleteDays}: set sealed-onion:softDeleteDays to ${fixed}`,
  );
}

/** A preview says so where what is sealed for another vault is to be sealed for this one. */
function warnOfMove(vault: pulumi.Resource, before: readonly string[], name: pulumi.Output<string>): void {
  // Not among the SDK's typed members: false where the vault is yet to be made.
  const { isKnown, promise } = name as unknown as { isKnown: Promise<boolean>; promise(): Promise<string> };
  const others = async () => {
    const own = (await isKnown) ? await promise.call(name) : undefined;
    return before.filter((other) => other !== own).join(", ");
  };
  void others().then((old) => {
    if (old === "") return;
    const what = `another vault is to open what vault ${old} opens: sealed files are re-wrapped`;
    void pulumi.log.warn(
      `${what}, and ${old} goes once git has them; older commits then need another recipient`,
      vault,
    );
  });
}

/** What a stack's resource group is called: each region has one, so that the new one is there before the old one goes. */
export function groupName(stack: string, location: string): string {
  return `sealed-onion-${stack}-${location}`;
}

function groupArgs({ stack, location }: SealingVaultArgs) {
  return { resourceGroupName: groupName(stack, location), location };
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
function vaultArgs(args: SealingVaultArgs, name: pulumi.Input<string>, { tenantId }: Deployer) {
  return {
    vaultName: name,
    properties: {
      tenantId,
      sku: { family: "A", name: args.keyProtection === "hsm" ? "premium" : "standard" } as const,
      enableRbacAuthorization: args.authorization === "rbac",
      enableSoftDelete: true,
      softDeleteRetentionInDays: args.softDeleteDays,
      // Azure refuses an explicit false.
      ...(args.purgeProtection ? { enablePurgeProtection: true } : {}),
      enabledForDeployment: false,
      enabledForDiskEncryption: false,
      enabledForTemplateDeployment: false,
      // The VM and the workstation come over the internet; who may do what is said by the policies.
      publicNetworkAccess: "enabled",
    },
  };
}

/**
 * The key's name says what it is made of: Azure answers a request for another size under the same name with the key
 * that is there.
 */
function keyArgs(args: SealingVaultArgs, resourceGroupName: pulumi.Input<string>, vault: pulumi.Input<string>) {
  const isHsm = args.keyProtection === "hsm";
  return {
    resourceGroupName,
    vaultName: vault,
    keyName: `sealing-${args.keySize}${isHsm ? "-hsm" : ""}`,
    properties: { kty: isHsm ? "RSA-HSM" : "RSA", keySize: args.keySize, keyOps: ["encrypt", "decrypt"] },
  };
}
