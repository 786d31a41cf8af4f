import type * as pulumi from "@pulumi/pulumi";
import { type Field, malformed, map, mustBe, NAMESPACE } from "../config/fields";

/** Names and values that Azure writes on resources. */
export type Tags = Readonly<Record<string, string>>;

/** Of an account, which has the narrowest rule of all: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources */
const NAME = /^[^<>%&\\?/]{1,128}$/;
const MOST = 15;

/** Which resources of azure-native take tags; others are a part of one of these, or have no tags in Azure. */
const TAGGED = new Set(
  [
    "compute:Disk",
    "compute:Gallery",
    "compute:GalleryImage",
    "compute:GalleryImageVersion",
    "compute:Image",
    "compute:VirtualMachine",
    "keyvault:Key",
    "keyvault:Vault",
    "managedidentity:UserAssignedIdentity",
    "network:NatGateway",
    "network:NetworkInterface",
    "network:NetworkSecurityGroup",
    "network:PrivateEndpoint",
    "network:PublicIPAddress",
    "network:VirtualNetwork",
    "privatedns:PrivateZone",
    "privatedns:VirtualNetworkLink",
    "resources:ResourceGroup",
    "storage:StorageAccount",
  ].map((type) => `azure-native:${type}`),
);

/**
 * Tagged when they are made, and left alone then. Azure writes nothing to a key that is there; and what an identity is
 * known by is not known to a preview that changes it, so that a tag would show a new image and a new machine.
 */
const TAGGED_ONCE = ["azure-native:keyvault:Key", "azure-native:managedidentity:UserAssignedIdentity"];

/**
 * Tags every resource of a component, and of those inside it, that takes tags; a resource's own tags win.
 *
 *     new SealingVault("vault", args, { transformations: [withTags({ team: "web" })] });
 */
export function withTags(tags: Tags): pulumi.ResourceTransformation {
  return ({ type, props, opts }) => {
    if (!TAGGED.has(type) || Object.keys(tags).length === 0) return undefined;
    const ignoreChanges = [...(opts.ignoreChanges ?? []), ...(TAGGED_ONCE.includes(type) ? ["tags"] : [])];
    return { props: { ...props, tags: { ...tags, ...props.tags } }, opts: { ...opts, ignoreChanges } };
  };
}

/** An object of at most 15 tags. */
export function parseTags(field: Field): Tags {
  const pairs = map(field, 'an object of tags, such as {"team": "web"}', (name, { value }) => {
    if (!NAME.test(name))
      throw malformed(
        `${field.path} has a tag ${JSON.stringify(name)}, a name has 1 to 128 characters and none of <>%&\\?/`,
        `rename it in ${NAMESPACE}:${field.path}`,
      );
    if (typeof value !== "string" || value.length > 256)
      throw mustBe({ value, path: `${field.path}[${JSON.stringify(name)}]` }, "a text of at most 256 characters");
    return [name, value] as const;
  });
  if (pairs.length > MOST)
    throw malformed(
      `${field.path} has ${pairs.length} tags, ${MOST} are allowed`,
      `remove some from ${NAMESPACE}:${field.path}`,
    );
  return Object.fromEntries(pairs);
}
