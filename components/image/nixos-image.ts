import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment";
import { BlobContainer } from "@pulumi/azure-native/storage/blobContainer";
import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { BLOB_CONTRIBUTOR } from "../azure/azure-names";
import { type Deployer, type Grantee, grant } from "../azure/deployer";
import type { Existing } from "../azure/existing/existing";
import { roleAssignmentArgs } from "../azure/role-assignment";
import { programCommand } from "../config/project";
import type { NetworkGuard } from "../network/network-guard";
import { readably } from "../process/readable-error";
import { givenDiskWarning } from "./build/given-disk";
import { fileDigest } from "./disk/file-digest";
import { readGuest } from "./guest-folder";
import { type ImageNames, imageDigest, imageNames } from "./image";
import { type ImageAccount, imageAccount } from "./image-account";
import type { ImageSettings } from "./image-settings";
import { type ImageMachine, type PublishArgs, publishImage } from "./publish-image";

export interface NixosImageArgs extends ImageSettings {
  /** The stack's name. */
  readonly stack: string;
  /** Azure's name of the region. */
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The text of `facts.json`, given where the stack's account has its blobs (`https://ACCOUNT.blob.…`). */
  readonly facts: (endpoint: pulumi.Output<string>) => pulumi.Input<string>;
  /**
   * Given where machines take their systems in place: the image is then made once, of whatever is current, and again only
   * where another `generation` is asked for, or what a machine of it could not do without has changed.
   */
  readonly once?: (account: NixosImage["account"]) => MadeOnce;
  /** Digests of the sealed files that a new image is made for, by secret name. */
  readonly sealed: Readonly<Record<string, pulumi.Input<string>>>;
  /** What somebody else made and keeps. @default nothing */
  readonly existing?: Pick<Existing, "gallery" | "storageAccount" | "workspace">;
  /** Whether somebody else made the role assignments, and the program makes none. @default false */
  readonly granted?: boolean;
  /** Who reaches the stack's own account. @default everybody */
  readonly network?: NetworkGuard | undefined;
  /** What the machines are that boot it. */
  readonly machine: ImageMachine;
  /** The build waits for these: the sealed files lie on disk then. */
  readonly ready: readonly pulumi.Resource[];
  /** Who runs `up`, and so builds and uploads. */
  readonly uploaders: readonly Grantee[];
  readonly deployer: Deployer;
  /** Whether a managed image outlives the failure of a zone; a gallery's does by itself. @default false */
  readonly zoneResilient?: boolean;
}

/** What an image that is made once must have. */
export interface MadeOnce {
  /** By what a machine of it finds its system, and believes it. */
  readonly trust: Readonly<Record<string, pulumi.Input<string | boolean>>>;
  /** The build waits for this: the facts lie on disk then. */
  readonly built: pulumi.Resource;
}

const CONTAINER = "images";

/** Everything of an image that is known before it is built. */
interface Plan {
  readonly digest: pulumi.Output<string>;
  readonly names: pulumi.Output<ImageNames>;
  /** For the commands' environments. */
  readonly inputs: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * The stack's NixOS image: built (or taken) on the workstation, uploaded as a page blob, published for VMs. Its names
 * hold the digest of what it is made of, so equal content is neither built nor uploaded twice.
 *
 *     const image = new NixosImage("image", { stack, location, facts, sealed, ready, ...config.image, ...vault });
 *     export const imageId = image.imageId;
 */
export class NixosImage extends pulumi.ComponentResource {
  /** Id of the managed image, or of the gallery's image version. */
  readonly imageId: pulumi.Output<string>;
  /** The stack's storage account; `endpoint` is `https://ACCOUNT.blob.core.windows.net`. */
  readonly account: ImageAccount;
  /** `https://ACCOUNT.blob.core.windows.net/images` */
  readonly containerUrl: pulumi.Output<string>;
  /** The name of this image's blob in that container. */
  readonly blobName: pulumi.Output<string>;
  readonly blobUrl: pulumi.Output<string>;
  /** What boots the image waits for these. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: NixosImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:NixosImage", name, {}, opts);
    const child = { parent: this };
    const account = imageAccount(this, name, args);
    const place = { resourceGroupName: account.groupName, accountName: account.name };
    const container = new BlobContainer(`${name}-container`, { ...place, ...containerArgs() }, child);
    const { subscriptionId } = args.deployer;
    const contributor = { scope: account.id, role: BLOB_CONTRIBUTOR, subscriptionId };
    const grants: RoleAssignment[] = [];
    for (const uploader of args.upload === "own" || args.granted ? [] : args.uploaders) {
      const { name: grantName, options } = grant(this, `${name}-*-blobs`, uploader, grants.slice(-1));
      grants.push(new RoleAssignment(grantName, roleAssignmentArgs({ ...contributor, grantee: uploader }), options));
    }

    const { endpoint } = account;
    this.account = account;
    this.containerUrl = pulumi.interpolate`${endpoint}/${CONTAINER}`;
    const once = args.once?.(this.account);
    const plan = once ? planOnce(args, once) : planImage(args, args.facts(endpoint));
    this.blobName = plan.names.blob;
    const blobUrl = pulumi.interpolate`${this.containerUrl}/${this.blobName}`;
    this.blobUrl = blobUrl;
    const inputs = { ...plan.inputs, BLOB_URL: blobUrl, DIGEST: plan.digest };
    const before = [...args.ready, ...(once ? [once.built] : []), container, ...account.reachable, ...grants];
    const options = { parent: this, dependsOn: before };
    const build = new Command(`${name}-build`, commandArgs("build-image", inputs), options);
    // The inputs of the build as well: where the disk is not on this machine any more, the upload builds it again.
    const upload = new Command(
      `${name}-upload`,
      commandArgs("upload-image", { ...inputs, VHD: build.stdout }),
      options,
    );

    const published = publishImage(this, name, publishArgs(args, plan.names.image, blobUrl, account.id, upload));
    this.imageId = published.id;
    this.ready = [published];
    this.registerOutputs({ imageId: this.imageId, containerUrl: this.containerUrl, blobName: this.blobName });
  }
}

function containerArgs() {
  return { containerName: CONTAINER, publicAccess: "None" } as const;
}

function commandArgs(program: string, environment: Record<string, pulumi.Input<string>>) {
  const run = programCommand(program);
  return { create: run, update: run, environment, logging: "stderr" } as const;
}

/** Digests what the image is made of: files are read, nothing is built. */
function planImage(args: NixosImageArgs, facts: pulumi.Input<string>): Plan {
  const { stack, sealed, vhd } = args;
  const source = sourceOf(args);
  const { nixDigest, vhdDigest } = readably(() => ({
    nixDigest: readGuest().digest,
    vhdDigest: vhd === undefined ? undefined : fileDigest(vhd),
  }));
  const inputs = pulumi.all([facts, pulumi.output(sealed)]);
  // A disk that is given is named by its content alone: what is yet to be sealed does not make it another one.
  const digest =
    vhd === undefined
      ? inputs.apply(([factsText, digests]) =>
          imageDigest({ facts: factsText, sealed: digests, nixDigest, builder: source }),
        )
      : pulumi.output(lookAtGiven(vhd, stack, inputs).then(() => vhdDigest ?? ""));
  return {
    digest,
    names: digest.apply((hex) => imageNames(stack, hex)),
    inputs: {
      STACK: stack,
      FACTS: facts,
      NIX_DIGEST: nixDigest,
      SEALED: pulumi.output(sealed).apply((digests) => JSON.stringify(digests)),
      BUILDER: source,
    },
  };
}

/** In a preview: says whether the disk is older than what is declared, which the build then refuses. */
async function lookAtGiven(
  vhd: string,
  stack: string,
  inputs: pulumi.Output<[string, Record<string, string>]>,
): Promise<void> {
  if (!pulumi.runtime.isDryRun()) return;
  // Not among the SDK's typed members: false where a preview cannot know something yet.
  const { isKnown, promise } = inputs as unknown as {
    isKnown: Promise<boolean>;
    promise(): Promise<[string, Record<string, string>]>;
  };
  const known = (await isKnown) ? await promise.call(inputs) : undefined;
  const warning = await givenDiskWarning(vhd, stack, known && { facts: known[0], sealed: known[1] });
  if (warning) await pulumi.log.warn(warning);
}

/** What changes in the system does not make another image: neither is among the commands' inputs. */
function planOnce(args: NixosImageArgs, { trust }: MadeOnce): Plan {
  const { stack, vhd, generation } = args;
  const TRUST = pulumi.output(trust).apply((known) => JSON.stringify(known));
  // A disk that is given is read where an image is made, and need not be there any more afterwards.
  const builder = vhd === undefined ? sourceOf(args) : "vhd";
  const digest = TRUST.apply((facts) => imageDigest({ facts, sealed: {}, nixDigest: `${generation}`, builder }));
  const names = digest.apply((hex) => imageNames(stack, hex));
  return { digest, names, inputs: { STACK: stack, BUILDER: sourceOf(args), TRUST } };
}

function sourceOf({ vhd, builder }: NixosImageArgs): string {
  if (vhd !== undefined) return `vhd:${vhd}`;
  return builder ? JSON.stringify(builder) : "nix";
}

function publishArgs(
  args: NixosImageArgs,
  imageName: pulumi.Input<string>,
  blobUrl: pulumi.Input<string>,
  storageAccountId: pulumi.Input<string>,
  upload: Command,
): PublishArgs {
  const { stack, location, resourceGroupName, machine, publish, targetRegions, zoneResilient } = args;
  const place = { stack, location, resourceGroupName, gallery: args.existing?.gallery };
  return { ...place, zoneResilient, machine, publish, targetRegions, imageName, blobUrl, storageAccountId, upload };
}
