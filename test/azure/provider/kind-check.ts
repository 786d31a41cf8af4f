import { randomBytes } from "node:crypto";
import type { Cloud } from "../cloud";
import { valuesAt } from "./arm";
import { memberFailures } from "./model-check";
import { type Members, members } from "./models";
import type { CheckFailure, CheckRequest } from "./provider";
import type { NameRule, ResourceKind } from "./resource-kind";
import { isUnknown, type PropertyMap, UNKNOWN } from "./values";

/** azure-native's own marks among the inputs: not part of any request. */
const MARKS = ["azureApiVersion", "__createBeforeDelete"];

export function membersOf(kind: ResourceKind, side: "request" | "response"): Members {
  const named = kind[side];
  return typeof named === "string" ? members(kind.models, named) : named;
}

/** Inputs that are part of the id: `resourceGroupName`, `vaultName`, `scope`. */
export function pathInputs(kind: ResourceKind): string[] {
  const found = [...kind.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  return found.filter((name) => name !== "subscriptionId");
}

/** The inputs that travel in the body. */
export function bodyInputs(kind: ResourceKind, inputs: PropertyMap): PropertyMap {
  const elsewhere = new Set([...pathInputs(kind), ...MARKS]);
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !elsewhere.has(name)));
}

/** Hex digits that follow from the engine's seed, so that a preview and its update agree. */
function hexDigits(seed: Uint8Array, count: number): string {
  const bytes = seed.length >= count ? seed : randomBytes(count);
  return [...bytes.subarray(0, count)].map((byte) => (byte % 16).toString(16)).join("");
}

function automaticName(rule: NameRule, request: CheckRequest): PropertyMap {
  const before = request.olds?.[rule.input];
  if (before !== undefined) {
    const mark = request.olds?.__createBeforeDelete;
    return { [rule.input]: before, ...(mark !== undefined && { __createBeforeDelete: mark }) };
  }
  if (rule.automatic === "random")
    return { [rule.input]: request.name + hexDigits(request.randomSeed, 8), __createBeforeDelete: true };
  const hex = hexDigits(request.randomSeed, 32);
  const guid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  return { [rule.input]: guid, __createBeforeDelete: true };
}

/** The location that azure-native fills in: as it was, from the provider's config, or the resource group's. */
function defaultLocation(request: CheckRequest, cloud: Cloud, configured: string | undefined): unknown {
  if (request.olds?.location !== undefined) return request.olds.location;
  if (configured !== undefined) return configured;
  const group = request.news.resourceGroupName;
  if (isUnknown(group)) return UNKNOWN;
  return cloud.get(`/subscriptions/${cloud.subscriptionId}/resourceGroups/${group}`)?.location;
}

/** Inputs with what azure-native adds: automatic names, location, API version (provider.go, applyDefaults). */
export function withDefaults(
  kind: ResourceKind,
  request: CheckRequest,
  cloud: Cloud,
  location: string | undefined,
): PropertyMap {
  const inputs = { ...request.news };
  for (const rule of kind.names)
    if (inputs[rule.input] === undefined && rule.automatic !== undefined)
      Object.assign(inputs, automaticName(rule, request));
  const place =
    kind.hasLocation && inputs.location === undefined ? defaultLocation(request, cloud, location) : undefined;
  if (place !== undefined) inputs.location = place;
  if (kind.apiVersion !== "") inputs.azureApiVersion = kind.apiVersion;
  return inputs;
}

function nameFailures(kind: ResourceKind, inputs: PropertyMap): CheckFailure[] {
  return pathInputs(kind).flatMap((name): CheckFailure[] => {
    const value = inputs[name];
    if (value === undefined) return [{ property: name, reason: `missing required property '${name}'` }];
    const rule = kind.names.find((candidate) => candidate.input === name);
    if (rule === undefined || isUnknown(value) || rule.pattern.test(String(value))) return [];
    return [{ property: name, reason: `'${name}' must be ${rule.rule}, got ${JSON.stringify(value)}` }];
  });
}

/** A member is only missing where the object that would hold it is there. */
function missingFailures(kind: ResourceKind, inputs: PropertyMap): CheckFailure[] {
  return (kind.required ?? []).flatMap((path): CheckFailure[] => {
    const outer = path.split(".").slice(0, -1).join(".");
    if (pathInputs(kind).includes(path)) return [];
    const isMissing = valuesAt(inputs, path).length === 0;
    const holder = outer === "" ? [{ value: inputs }] : valuesAt(inputs, outer);
    if (!isMissing || holder.length === 0 || holder.some(({ value }) => isUnknown(value))) return [];
    const hint =
      path === "location"
        ? ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."
        : "";
    return [{ property: path, reason: `missing required property '${path}'${hint}` }];
  });
}

function closedSetFailures(kind: ResourceKind, inputs: PropertyMap): CheckFailure[] {
  return Object.entries(kind.allowed ?? {}).flatMap(([path, allowed]) =>
    valuesAt(inputs, path).flatMap(({ path: at, value }): CheckFailure[] => {
      const known = allowed.some((one) => String(one).toLowerCase() === String(value).toLowerCase());
      if (known || isUnknown(value)) return [];
      return [{ property: at, reason: `'${at}' must be one of ${allowed.join(", ")}, got ${JSON.stringify(value)}` }];
    }),
  );
}

/** Everything that is wrong with the inputs by themselves, each thing once. */
export function inputFailures(kind: ResourceKind, inputs: PropertyMap): CheckFailure[] {
  const body = memberFailures(bodyInputs(kind, inputs), membersOf(kind, "request"), "", kind.models);
  const found = [
    ...nameFailures(kind, inputs),
    ...missingFailures(kind, inputs),
    ...body,
    ...closedSetFailures(kind, inputs),
  ];
  const seen = new Set<string>();
  return found.filter(({ property }) => !seen.has(property) && seen.add(property));
}
