import type * as pulumi from "@pulumi/pulumi";

/**
 * What a resource is called in Azure, once it is there: the last part of its id. Its output `name` is not known in a
 * preview of any change to it, and everything that bears that name would then seem to be replaced.
 */
export function azureName(resource: pulumi.CustomResource): pulumi.Output<string> {
  return resource.id.apply((id) => id.split("/").at(-1) ?? id);
}
