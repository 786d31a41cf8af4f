import * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random/randomBytes";
import { RandomString } from "@pulumi/random/randomString";
import { groupName, vaultName } from "../azure/azure-names";
import { cloudNamed } from "../azure/clouds";
import { type Deployer, type Grantee, sealersOf, whoDeploys } from "../azure/deployer";
import type { Existing } from "../azure/existing/existing";
import { checkGrants } from "../azure/existing/grants";
import { type Looked, lookAt } from "../azure/existing/look";
import { programSettings } from "../azure/program-settings";
import type { GuardedNetwork } from "../network/guarded-network";
import { readably } from "../process/readable-error";
import { frontEndKey, type KeyHolder } from "./front-end-key";
import { grantKeyAccess } from "./key-access";
import { type MachineIdentity, machineIdentity } from "./machine-identity";
import { neededGrants } from "./needed-grants";
import { vaultsOf } from "./sealed-for-vault";
import { stackGroup } from "./stack-group";
import { type StackVault, vaultAndKey } from "./vault-and-key";

export interface SealingVaultArgs extends StackVault {
  /**
   * Pulumi's name of the key for fingerprints, where it outlives this vault: with another key, every secret would count
   * as changed. @default NAME-fingerprint-key
   */
  readonly fingerprintKeyName?: string;
  /** Whether firewalls know machines in an existing subnet by its endpoints for the services. @default false */
  readonly bySubnet?: boolean;
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
  /** Where who reaches the vault is said. */
  readonly network: GuardedNetwork | undefined;

  constructor(name: string, args: SealingVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:SealingVault", name, {}, opts);
    const child = { parent: this };
    this.deployer = whoDeploys(this);
    this.sealers = sealersOf(args.sealers, this.deployer);

    const suffix = new RandomString(`${name}-suffix`, { length: 8, upper: false, special: false }, child);
    const uniqueName = suffix.result.apply((random) => vaultName(args.stack, random));
    const { existing = {}, location } = args;
    const looked = this.look(existing, args);
    const group = stackGroup(this, name, args, { deployer: this.deployer, looked, suffix: suffix.result });
    if (pulumi.runtime.isDryRun()) warnOfMove(this, vaultsOf(args.stack), uniqueName);
    const cloud = readably(() => cloudNamed(programSettings().environment?.value));
    this.network = args.network?.({ resourceGroupName: group.name, location });
    const { deployer, network } = this;
    const made = vaultAndKey(this, name, args, { cloud, deployer, group, looked, network, uniqueName });
    this.identity = machineIdentity(this, name, { args, group: group.name, location, looked });
    const { fingerprintKeyName = `${name}-fingerprint-key` } = args;
    const fingerprintKey = new RandomBytes(fingerprintKeyName, { length: 32 }, child);

    this.resourceGroupName = group.name;
    this.resourceGroupId = group.id;
    this.vaultUri = made.vaultUri;
    this.keyUrl = made.keyUrl;
    this.fingerprintKey = pulumi.secret(fingerprintKey.base64);
    const access = grantKeyAccess(this, name, {
      authorization: args.authorization,
      groupName: made.group.name,
      groupId: made.group.id,
      vaultName: made.vaultName,
      keyId: made.keyId,
      guard: made.guard,
      granted: args.grants !== undefined,
      deployer: this.deployer,
      sealers: this.sealers,
      machine: { suffix: "machine", objectId: this.identity.principalId, type: "ServicePrincipal" },
    });
    this.sealersReady = [...access.sealers, ...made.reachable];
    this.machineReady = [...access.machine, ...made.reachable];
    const { sealers } = this;
    const place = { resourceGroupName: group.name, location };
    const front = { stack: args.stack, place, guard: made.guard, deployer, sealers, roles: access.roles };
    const { another } = made;
    this.frontEnd = args.hasFrontEnd && another ? frontEndKey(this, name, { ...front, ...another }) : undefined;
    this.registerOutputs({ keyUrl: this.keyUrl, vaultUri: this.vaultUri, resourceGroupName: this.resourceGroupName });
  }

  /** What exists is looked at before anything is made of it; nothing is asked where nothing is named. */
  private look(existing: Existing, args: SealingVaultArgs): pulumi.Output<Looked> {
    if (Object.keys(existing).length === 0) return pulumi.output({});
    const { authorization, bySubnet = false, location } = args;
    const { subscriptionId: subscription, tenantId: tenant } = this.deployer;
    const who = this.sealers.map(({ objectId }) => objectId);
    const looked = pulumi.all([subscription, tenant, pulumi.all(who)]).apply(([subscriptionId, tenantId, sealers]) =>
      readably(async () => {
        const wanted = { authorization, bySubnet, location, subscriptionId, tenantId };
        const found = await lookAt(existing, wanted, this);
        if (args.grants === undefined) return found;
        const group = existing.resourceGroup ?? groupName(args.stack, location);
        const groupId = `/subscriptions/${subscriptionId}/resourceGroups/${group}`;
        const machine = found.identity?.principalId ?? "";
        const stack = { authorization, existing, groupId, machine, sealers, ...args.grants };
        await checkGrants(args.grants.ids, neededGrants(stack), this);
        return found;
      }),
    );
    return saidOnce(looked);
  }
}

/**
 * What is wrong is said by the look itself. Whatever waits for it is not made and says nothing: Pulumi would repeat the
 * reason for each resource, behind the names of all properties that lead to it.
 */
function saidOnce<T>(looked: pulumi.Output<T>): pulumi.Output<T> {
  const { promise } = looked as unknown as { promise(): Promise<T> };
  const found = promise.call(looked);
  return pulumi.output(new Promise<T>((resolve) => void found.then(resolve, () => undefined))) as pulumi.Output<T>;
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
