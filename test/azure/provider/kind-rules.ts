import type { Cloud, CloudResource } from "../cloud";
import { isRegion, normalizedLocation, parseId, refuse, valuesAt } from "./arm";
import { membersOf } from "./kind-check";
import { fromWire } from "./model-convert";
import type { Reference, ResourceKind, Situation } from "./resource-kind";
import { isMap } from "./values";

function notFound(type: string, name: string, group: string | undefined): never {
  refuse(
    404,
    "ResourceNotFound",
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** The group and, for a child, the resource above it have to be there. */
function checkParents({ cloud, id, wanted }: Situation): void {
  const parsed = parseId(id);
  if (parsed?.resourceGroup === undefined || parsed.type === "Microsoft.Resources/resourceGroups") return;
  const group = `/subscriptions/${parsed.subscription}/resourceGroups/${parsed.resourceGroup}`;
  if (cloud.get(group) === undefined)
    refuse(404, "ResourceGroupNotFound", `Resource group '${parsed.resourceGroup}' could not be found.`);
  const segments = wanted.type.split("/").length - 1;
  if (segments < 2 || wanted.type.startsWith("Microsoft.Authorization/")) return;
  const steps = wanted.type.includes("/blobServices/") ? 4 : 2;
  const above = id.split("/").slice(0, -steps).join("/");
  if (cloud.get(above) === undefined)
    refuse(
      404,
      "ParentResourceNotFound",
      `Failed to perform 'write' on resource(s) of type '${wanted.type.split("/").slice(1).join("/")}', because the parent resource '${above}' could not be found.`,
    );
}

function locationOf(cloud: Cloud, resource: CloudResource): string | undefined {
  if (resource.location !== undefined && resource.location !== "") return resource.location;
  const above = cloud.get(resource.id.split("/").slice(0, -2).join("/"));
  return above && locationOf(cloud, above);
}

function checkReference(situation: Situation, reference: Reference, path: string, target: string): void {
  const { cloud, wanted, id } = situation;
  const parsed = parseId(target);
  if (parsed === undefined || !reference.types.some((type) => type.toLowerCase() === parsed.type.toLowerCase()))
    refuse(
      400,
      "LinkedInvalidPropertyId",
      `Property id '${target}' at path '${path}' is invalid. Expect fully qualified resource Id of type ${reference.types.join(" or ")}.`,
    );
  const found = cloud.get(target);
  if (found === undefined && reference.code === "ResourceNotFound")
    notFound(parsed.type, parsed.name, parsed.resourceGroup);
  if (found === undefined)
    refuse(
      reference.code === undefined ? 400 : 404,
      reference.code ?? "InvalidResourceReference",
      `Resource ${target} referenced by resource ${id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
    );
  const theirs = locationOf(cloud, found);
  const ours = locationOf(cloud, wanted);
  if (reference.sameRegion === false || theirs === undefined || ours === undefined) return;
  if (normalizedLocation(theirs) !== normalizedLocation(ours))
    refuse(
      400,
      "InvalidResourceReference",
      `Resource ${target} referenced by resource ${id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
    );
}

function checkLocation({ wanted, existing }: Situation, kind: ResourceKind): void {
  if (!kind.hasLocation || kind.token.endsWith(":ResourceGroup")) return;
  const location = wanted.location ?? "";
  if (!isRegion(location))
    refuse(
      400,
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${wanted.type}'.`,
    );
  if (existing !== undefined && normalizedLocation(existing.location ?? "") !== normalizedLocation(location))
    refuse(
      409,
      "InvalidResourceLocation",
      `The resource '${wanted.name}' already exists in location '${existing.location}' in resource group '${parseId(wanted.id)?.resourceGroup}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    );
}

/** Whether everything that is given is as it was; what is not given is the service's to keep. */
function isKept(given: unknown, was: unknown): boolean {
  if (Array.isArray(given))
    return Array.isArray(was) && given.length === was.length && given.every((item, index) => isKept(item, was[index]));
  if (isMap(given))
    return isMap(was) && Object.entries(given).every(([key, value]) => value === undefined || isKept(value, was[key]));
  return typeof given === "string" && typeof was === "string"
    ? given.toLowerCase() === was.toLowerCase()
    : given === was;
}

function checkImmutable(kind: ResourceKind, { inputs, existing }: Situation): void {
  if (existing === undefined) return;
  const was = fromWire(existing, membersOf(kind, "response"), kind.models);
  for (const { path, code, message } of kind.immutable ?? []) {
    const [given] = valuesAt(inputs, path);
    if (given === undefined || isKept(given.value, valuesAt(was, path)[0]?.value)) continue;
    refuse(409, code ?? "PropertyChangeNotAllowed", message ?? `Changing property '${path}' is not allowed.`);
  }
}

/** What Azure refuses for every type alike, and then what it refuses for this one. Throws ArmError. */
export async function checkRules(kind: ResourceKind, situation: Situation): Promise<void> {
  checkParents(situation);
  checkLocation(situation, kind);
  for (const reference of kind.references ?? [])
    for (const { path, value } of valuesAt(situation.inputs, reference.path))
      if (typeof value === "string") checkReference(situation, reference, path, value);
  checkImmutable(kind, situation);
  await kind.validate?.(situation);
}

/** The tags of a resource: at most 50, names of at most 512 and values of at most 256 characters. */
export function checkTags(resource: CloudResource): void {
  const tags = Object.entries(resource.tags ?? {});
  if (tags.length > 50) refuse(400, "InvalidTags", `A resource has at most 50 tags, got ${tags.length}.`);
  const long = tags.find(([name, value]) => name.length > 512 || String(value).length > 256 || /[<>%&\\?/]/.test(name));
  if (long) refuse(400, "InvalidTagNameCharacters", `The tag '${long[0]}' is too long or holds one of <>%&\\?/.`);
}
