import * as pulumi from "@pulumi/pulumi";
import { type AzureCloud, cloudNamed } from "../azure/clouds";
import { type Existing, parseExisting } from "../azure/existing/existing";
import { type Grants, parseGrants } from "../azure/existing/grants";
import { programSettings } from "../azure/program-settings";
import { parseTags, type Tags } from "../azure/tags";
import { boolean, gather, MalformedError, malformed, mustBe, NAMESPACE, optional } from "../config/fields";
import { follows, saysOf } from "../config/rules";
import { checkFleet, type FleetSettings, parseFleet } from "../fleet/fleet-settings";
import { frontEndMachine } from "../fleet/front-end-machine";
import { keyHolders } from "../fleet/replica-keys";
import { type ImageSettings, inOwnRegion, parseImage, parseLocation } from "../image/image-settings";
import type { ImageMachine } from "../image/publish-image";
import { type NetworkSettings, parseNetwork } from "../network/network-settings";
import { withOwnSecrets } from "../secrets/own-secrets";
import { parseRecipients, type Recipients } from "../secrets/recipients";
import { parseSecrets, type SecretDeclaration } from "../secrets/secret";
import { defaultUpdate, parseUpdate, type UpdateSettings, updateNeeds } from "../system/update-settings";
import { parseVault, type VaultSettings } from "../vault/vault";
import type { StackGrants } from "../vault/vault-and-key";
import { parseVaultAuth, type VaultAuth } from "../vault-auth/vault-auth";
import { type BootAgent, DEFAULT_BOOT_AGENT, parseBootAgent } from "../vm/boot-agent";
import { checkLogs, type Logs, parseLogs } from "../vm/logs";
import { imageMachine, type MachineSettings, parseMachine } from "../vm/machine";
import { checkKeys, field, other, withDefault } from "./config-keys";
import { checkExistingFits } from "./existing-fits";
import { checkImageFits } from "./image-fits";
import { forProduction } from "./production";
import { parseServices, type ServiceDeclaration } from "./services";

/** A stack's whole configuration, checked, with every default filled in. */
export interface StackConfig {
  readonly stack: string;
  /** Azure's name of the region, e.g. `westeurope`. */
  readonly location: string;
  readonly secrets: readonly SecretDeclaration[];
  readonly services: readonly ServiceDeclaration[];
  readonly recipients: Recipients;
  /** Role assignments that somebody else made, in the place of the program's. @default the program's: undefined */
  readonly grants: Grants | undefined;
  readonly granted: boolean;
  /** Who reaches the stack's own vault and account. @default everybody: undefined */
  readonly network: NetworkSettings | undefined;
  readonly vault: VaultSettings & { readonly existing?: Existing; readonly grants?: StackGrants };
  readonly image: ImageSettings & {
    readonly machine: ImageMachine;
    readonly existing?: Existing;
    readonly granted?: boolean;
  };
  readonly machine: MachineSettings & { readonly subnetId?: string };
  readonly update: UpdateSettings;
  readonly bootAgent: BootAgent;
  /** Whether what cannot be made again is protected from deletion. @default false */
  readonly production: boolean;
  /** Written on every resource that takes tags. @default none */
  readonly tags: Tags;
  readonly vaultAuth: VaultAuth | undefined;
  /** Whether the machine writes how it is into the stack's account. @default true */
  readonly status: boolean;
  /** Which journal the machines hand out to those whom `recipients.age` names. @default none */
  readonly logs: Logs | undefined;
  /** Where several machines serve: their dials, and the addresses' keys, which none of them has. @default one machine */
  readonly fleet: (FleetSettings & { readonly keys: readonly SecretDeclaration[] }) | undefined;
}

/**
 * Reads the stack's configuration. Nothing is registered and nothing is asked of anyone.
 * @throws pulumi.RunError with one line for each problem, each with its remedy
 */
export function readConfig(): StackConfig {
  try {
    return gatherConfig();
  } catch (error) {
    if (error instanceof MalformedError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

function gatherConfig(): StackConfig {
  checkKeys();
  const { declared, existing, fleet, ...config } = gather({
    stack: parseStack,
    location: () => parseLocation({ path: "azure-native:location", value: other("azure-native", "location") }),
    declared: parseDeclared,
    recipients: () => optional(field("recipients"), { age: [], pgp: [] }, parseRecipients),
    vault: () => parseVault(field),
    image: () => parseImage(withDefault("image", {})),
    machine: () => parseMachine(field),
    existing: () => optional<Existing, Existing>(field("existing"), {}, parseExisting),
    grants: () => optional(field("grants"), undefined, parseGrants),
    bootAgent: () => optional(field("bootAgent"), DEFAULT_BOOT_AGENT, parseBootAgent),
    production: () => optional(field("production"), false, boolean),
    network: () =>
      optional(field("network"), undefined, (given) => parseNetwork(given, field("production").value === true)),
    status: () => optional(field("status"), true, boolean),
    logs: () => optional(field("logs"), undefined, parseLogs),
    fleet: () => parseFleet(field),
    update: () => parseUpdate(field, defaultUpdate(updateNeeds((key) => field(key).value))),
    tags: () => optional(field("tags"), {}, parseTags),
    vaultAuth: () =>
      parseVaultAuth(field("vaultAuth"), { path: "vault:address", value: other("vault", "address") }, cloudInUse()),
  });
  checkSsh(declared.services, config.bootAgent);
  checkLogs(config.logs, { recipients: config.recipients.age, status: config.status });
  checkImageFits(config.image, config.machine);
  checkExistingFits({ ...config, existing, fleet });
  const named = Object.keys(existing).length > 0 ? { existing } : {};
  const granted = config.grants !== undefined;
  const vault = { ...forProduction(config.production, config.vault, existing), ...named, ...stackGrants(config) };
  const placed = inOwnRegion(config.image, config.location);
  const image = { ...placed, machine: imageMachine(config.machine), ...named, granted };
  const { subnet: subnetId } = existing;
  const machine = { ...config.machine, ...(subnetId === undefined ? {} : { subnetId }) };
  const whole = { ...config, granted, ...declared, vault, image, machine };
  return fleet === undefined ? { ...whole, fleet } : withReplicas(whole, fleet);
}

/** What is granted for besides the vault's key, where somebody else grants it. */
function stackGrants({
  grants: ids,
  image,
  status,
  update,
}: Pick<StackConfig, "grants" | "status" | "update"> & { readonly image: ImageSettings }): { grants?: StackGrants } {
  if (ids === undefined) return {};
  return { grants: { ids, uploads: image.upload !== "own", status, systems: update.update === "inPlace" } };
}

/** The addresses' keys go to the front end as they are, and each replica gets keys of its own. */
function withReplicas(config: Omit<StackConfig, "fleet">, fleet: FleetSettings): StackConfig {
  const { image, machine, secrets, services, stack, status, update, vault } = config;
  if (update.update === "inPlace") {
    const problem = "update inPlace is for a single machine, several take a new image one after the other";
    throw malformed(problem, `set ${NAMESPACE}:update to replace`);
  }
  checkImageFits(image, frontEndMachine(machine, fleet));
  const { replicas } = fleet;
  const { authorization } = vault;
  checkFleet({ ...machine, ...{ stack, replicas, secrets, status, services, authorization, vhd: image.vhd } });
  const { frontEnd: keys, replicas: own } = keyHolders(secrets, services, replicas);
  return { ...config, secrets: own, fleet: { ...fleet, keys } };
}

/** @throws MalformedError */
function cloudInUse(): AzureCloud {
  try {
    return cloudNamed(programSettings().environment?.value);
  } catch (error) {
    throw new MalformedError([(error as Error).message]);
  }
}

/** Services refer to secrets: they are read where the secrets are in order. */
function parseDeclared(): Pick<StackConfig, "secrets" | "services"> {
  const secrets = parseSecrets(withOwnSecrets(withDefault("secrets", {}).value, (key) => field(key).value));
  return { secrets, services: parseServices(field("services"), secrets) };
}

/** Operators log in by keys that the boot agent takes from the instance metadata. */
function checkSsh(services: readonly ServiceDeclaration[], { sshKeys }: BootAgent): void {
  const ssh = services.find((service) => service.ssh);
  if (ssh === undefined || sshKeys) return;
  const problem = `services.${ssh.name}.ssh is true but bootAgent.sshKeys is false, so nobody could log in`;
  throw malformed(problem, `set ${NAMESPACE}:bootAgent.sshKeys to true`);
}

/** Stack names end up in Azure's names, which differ in what they allow: this is allowed by all of them. */
function parseStack(): string {
  const stack = pulumi.getStack();
  if (follows("stack", stack)) return stack;
  throw mustBe({ path: "the stack's name", value: stack }, saysOf("stack"), "type pulumi stack rename NAME");
}
