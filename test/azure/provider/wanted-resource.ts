import type { Cloud, CloudResource } from "../cloud";
import { normalizedLocation } from "./arm";
import { bodyInputs, membersOf } from "./kind-check";
import { toWire } from "./model-convert";
import type { ResourceKind } from "./resource-kind";
import { isMap, type PropertyMap } from "./values";

/** The id that the inputs spell, and the resource as a request describes it. */
export function wantedResource(kind: ResourceKind, cloud: Cloud, inputs: PropertyMap): CloudResource {
  const id = kind.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    name === "subscriptionId" ? cloud.subscriptionId : String(inputs[name]).replace(/^\/+|\/+$/g, ""),
  );
  const { properties, tags, ...body } = toWire(bodyInputs(kind, inputs), membersOf(kind, "request"), kind.models);
  const location = typeof body.location === "string" ? { location: normalizedLocation(body.location) } : {};
  return {
    ...body,
    ...location,
    ...(isMap(tags) && { tags: tags as Record<string, string> }),
    id,
    type: kind.type,
    name: id.split("/").at(-1) ?? "",
    properties: isMap(properties) ? properties : {},
  };
}
