import type * as pulumi from "@pulumi/pulumi";
import { withTags } from "../azure/tags";
import type { StackConfig } from "./config";

/** A component that is made in each place of its own: its name, and the options that find it in an older state. */
export interface Placed {
  readonly name: string;
  readonly options: pulumi.ComponentResourceOptions;
}

/**
 * Where a stack's machine and vault are is part of their resources' names. Another region or stack name is thus another
 * set of resources: the engine makes all of the new ones first, and deletes the old ones last. Until then the old key
 * opens what is sealed, the old machine serves, and an interrupted move goes on, or back.
 */
export function inPlace(role: string, config: Pick<StackConfig, "stack" | "location" | "tags">): Placed {
  const { stack, location, tags } = config;
  const options = { aliases: [{ name: role }], transformations: [withTags(tags)] };
  return { name: `${role}-${stack}-${location}`, options };
}
