import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment";
import { BlobContainer } from "@pulumi/azure-native/storage/blobContainer";
import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { roleAssignmentArgs } from "../azure/role-assignment";
import { programCommand } from "../config/project";
import { readGuest } from "../image/guest-folder";
import { readably } from "../process/readable-error";
import type { Recipients } from "../secrets/recipients";
import { parseRelease, type Release } from "./publish/release";
import { publicKeyOnDisk } from "./signing-key/signing-key-file";
import { BLOB_READER } from "./update-settings";

export interface SystemClosureArgs {
  readonly stack: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The stack's storage account. */
  readonly account: Readonly<Record<"endpoint" | "id" | "name", pulumi.Output<string>>>;
  readonly subscriptionId: pulumi.Input<string>;
  /** Object id of who reads: the machine's identity. */
  readonly reader: pulumi.Input<string>;
  /** Whether somebody else has granted that. @default false */
  readonly granted?: boolean;
  /** The text of `facts.json`, given what signs the stack's systems and where they lie. */
  readonly facts: (trust: SystemTrust) => pulumi.Input<string>;
  /** Digests of the sealed files in the system, by secret name. */
  readonly sealed: Readonly<Record<string, pulumi.Input<string>>>;
  /** The versioned Key Vault key that seals what signs. */
  readonly keyUrl: pulumi.Input<string>;
  readonly recipients: Recipients;
  /** Sealing waits for these: the rights to use the key. */
  readonly sealersReady: readonly pulumi.Resource[];
  /** The build waits for these: the sealed files lie on disk then. */
  readonly ready: readonly pulumi.Resource[];
}

/** What a machine is made to trust. */
export interface SystemTrust {
  /** `https://ACCOUNT.blob.core.windows.net/systems` */
  readonly containerUrl: pulumi.Output<string>;
  /** `NAME:base64`, as Nix's `trusted-public-keys`. */
  readonly publicKey: pulumi.Output<string>;
}

const CONTAINER = "systems";

/**
 * A stack's system without a disk of it, built on the workstation; the key that signs it, which is made once and sealed;
 * and the private container that the machine reads. {@link publish} comes after the machine's image is there.
 *
 *     const system = new SystemClosure("system", { stack, account, facts, sealed, ready, ...vault });
 *     const release = system.publish({ imageUrl, ready: image.ready });
 */
export class SystemClosure extends pulumi.ComponentResource {
  readonly trust: SystemTrust;
  /** What needs the facts on disk waits for this. */
  readonly built: pulumi.Resource;
  /** The machine waits for these: it may read what it is asked for. */
  readonly readerReady: readonly pulumi.Resource[];
  readonly #name: string;
  readonly #stack: string;
  readonly #build: Command;
  readonly #container: BlobContainer;

  constructor(name: string, args: SystemClosureArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:SystemClosure", name, {}, opts);
    const { account, resourceGroupName, stack } = args;
    const key = new Command(`${name}-signing-key`, commandArgs("signing-key", keyEnvironment(args)), {
      parent: this,
      dependsOn: [...args.sealersReady],
    });
    this.trust = {
      containerUrl: pulumi.interpolate`${account.endpoint}/${CONTAINER}`,
      publicKey: publicKeyOf(stack, key),
    };
    const container = new BlobContainer(
      `${name}-container`,
      { resourceGroupName, accountName: account.name, containerName: CONTAINER, publicAccess: "None" },
      { parent: this },
    );
    this.readerReady = args.granted ? [] : [readerGrant(this, name, args, container)];
    const build = new Command(`${name}-build`, commandArgs("build-system", buildEnvironment(args, this.trust)), {
      parent: this,
      dependsOn: [...args.ready, key],
    });
    this.built = build;
    this.#name = name;
    this.#stack = stack;
    this.#build = build;
    this.#container = container;
    this.registerOutputs({ publicKey: this.trust.publicKey });
  }

  /** Signs the system and uploads what the image lacks. @returns what the machine is asked for */
  publish({ imageUrl, keep, ready }: PublishedImage): pulumi.Output<Release> {
    const { containerUrl } = this.trust;
    const system = { STACK: this.#stack, SYSTEM: this.#build.stdout };
    const published = new Command(
      `${this.#name}-publish`,
      commandArgs("publish-system", { ...system, CONTAINER_URL: containerUrl, IMAGE_URL: imageUrl, KEEP: `${keep}` }),
      { parent: this, dependsOn: [...ready, this.#container] },
    );
    return published.stdout.apply((stdout) =>
      readably(() => {
        const release = parseRelease(stdout);
        if (release === undefined) throw new Error("publish-system printed no release: run pulumi up again");
        return release;
      }),
    );
  }
}

/** The machine's image, which is there before anything is uploaded besides. */
export interface PublishedImage {
  /** Its blob. */
  readonly imageUrl: pulumi.Input<string>;
  /** Systems before the wanted one whose store paths stay in the container. */
  readonly keep: number;
  readonly ready: readonly pulumi.Resource[];
}

function commandArgs(program: string, environment: Record<string, pulumi.Input<string>>) {
  const run = programCommand(program);
  return { create: run, update: run, environment, logging: "stderr" } as const;
}

function keyEnvironment({ stack, keyUrl, recipients: { age, pgp } }: SystemClosureArgs) {
  return { STACK: stack, KEY_URL: keyUrl, RECIPIENTS: JSON.stringify({ age, pgp }) };
}

function buildEnvironment({ stack, facts, sealed }: SystemClosureArgs, trust: SystemTrust) {
  const SEALED = pulumi.output(sealed).apply((digests) => JSON.stringify(digests));
  // By parts, too: a preview says what their change means to a machine that runs.
  const { digest: NIX_DIGEST, parts } = readably(readGuest);
  return { STACK: stack, FACTS: facts(trust), NIX_DIGEST, NIX_PARTS: JSON.stringify(parts), SEALED };
}

/** In a preview that seals the key for others, it is the one on disk all the same. */
function publicKeyOf(stack: string, key: Command): pulumi.Output<string> {
  const known = readably(() => publicKeyOnDisk(stack));
  if (pulumi.runtime.isDryRun() && known !== undefined) return pulumi.output(known);
  return key.stdout.apply((stdout) => (JSON.parse(stdout) as { publicKey: string }).publicKey);
}

function readerGrant(parent: pulumi.Resource, name: string, args: SystemClosureArgs, container: BlobContainer) {
  return new RoleAssignment(`${name}-reader`, readerArgs(args, container), { parent, deleteBeforeReplace: true });
}

function readerArgs({ account, reader, subscriptionId }: SystemClosureArgs, container: BlobContainer) {
  return roleAssignmentArgs({
    grantee: { objectId: reader, type: "ServicePrincipal" },
    role: BLOB_READER,
    scope: container.id,
    subscriptionId,
    nameOf: [account.id, CONTAINER],
  });
}
