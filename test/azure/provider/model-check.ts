import { type Mapper, type MapperType, type Members, type ModelPackage, members } from "./models";
import type { CheckFailure } from "./provider";
import { isMap, isUnknown, type PropertyMap } from "./values";

/** Members that azure-native takes as a list of names although the API has a map from name to (empty) object. */
export const STRING_SETS = new Set(["userAssignedIdentities"]);

function failure(property: string, reason: string): CheckFailure[] {
  return [{ property, reason }];
}

function typeName(value: unknown): string {
  return Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
}

function wrongType(value: unknown, path: string, wanted: string): CheckFailure[] {
  return failure(path, `'${path}' should be of type '${wanted}' but got ${typeName(value)}`);
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The wording of azure-native's own checks (provider.go, validateProperty). */
function stringFailures(value: string, mapper: Mapper, path: string): CheckFailure[] {
  const { MinLength, MaxLength, Pattern } = mapper.constraints ?? {};
  if (MinLength !== undefined && value.length < Number(MinLength))
    return failure(path, `'${path}' is too short (${value.length}): at least ${MinLength} characters required`);
  if (MaxLength !== undefined && value.length > Number(MaxLength))
    return failure(path, `'${path}' is too long (${value.length}): at most ${MaxLength} characters allowed`);
  if (Pattern !== undefined && !new RegExp(String(Pattern)).test(value))
    return failure(path, `'${path}' does not match expression '${Pattern}'`);
  return [];
}

function numberFailures(value: number, mapper: Mapper, path: string): CheckFailure[] {
  const { InclusiveMinimum, InclusiveMaximum } = mapper.constraints ?? {};
  if (InclusiveMinimum !== undefined && value < Number(InclusiveMinimum))
    return failure(path, `'${path}' is too low (${value} < ${InclusiveMinimum})`);
  if (InclusiveMaximum !== undefined && value > Number(InclusiveMaximum))
    return failure(path, `'${path}' is too high (${value} > ${InclusiveMaximum})`);
  return [];
}

function enumFailures(value: unknown, allowed: unknown[], path: string): CheckFailure[] {
  const matches = allowed.some((one) => String(one).toLowerCase() === String(value).toLowerCase());
  return matches ? [] : failure(path, `'${path}' must be one of ${allowed.join(", ")}, got ${JSON.stringify(value)}`);
}

function listFailures(value: unknown, mapper: Mapper, element: Mapper, path: string, models: ModelPackage) {
  if (!Array.isArray(value)) return wrongType(value, path, "array");
  const { MinItems, MaxItems } = mapper.constraints ?? {};
  if (MinItems !== undefined && value.length < Number(MinItems))
    return failure(path, `'${path}' has too few items (${value.length}): at least ${MinItems} required`);
  if (MaxItems !== undefined && value.length > Number(MaxItems))
    return failure(path, `'${path}' has too many items (${value.length}): at most ${MaxItems} allowed`);
  return value.flatMap((item, index) => valueFailures(item, element, `${path}[${index}]`, models));
}

function mapFailures(value: unknown, element: Mapper, path: string, models: ModelPackage): CheckFailure[] {
  const isSet = STRING_SETS.has(path.split(".").at(-1) ?? "");
  if (isSet && Array.isArray(value))
    return value.every((item) => typeof item === "string") ? [] : wrongType(value, path, "array of strings");
  if (isSet || !isMap(value)) return wrongType(value, path, isSet ? "array of strings" : "object");
  return Object.entries(value).flatMap(([key, item]) => valueFailures(item, element, `${path}.${key}`, models));
}

function scalarFailures(value: unknown, mapper: Mapper, path: string): CheckFailure[] {
  const name = mapper.type.name;
  if (name === "Number")
    return typeof value === "number" ? numberFailures(value, mapper, path) : wrongType(value, path, "number");
  if (name === "Boolean") return typeof value === "boolean" ? [] : wrongType(value, path, "boolean");
  if (name === "Object" || name === "any") return [];
  if (typeof value !== "string") return wrongType(value, path, "string");
  if (name === "Uuid" && !GUID.test(value)) return failure(path, `'${path}' is not a GUID: ${JSON.stringify(value)}`);
  return stringFailures(value, mapper, path);
}

function valueFailures(value: unknown, mapper: Mapper, path: string, models: ModelPackage): CheckFailure[] {
  if (isUnknown(value)) return [];
  const type: MapperType = mapper.type;
  if (type.name === "Composite") {
    if (!isMap(value)) return wrongType(value, path, "object");
    return memberFailures(value, members(models, type.className), path, models);
  }
  if (type.name === "Sequence") return listFailures(value, mapper, type.element, path, models);
  if (type.name === "Dictionary") return mapFailures(value, type.value, path, models);
  if (type.name === "Enum") return enumFailures(value, type.allowedValues, path);
  return scalarFailures(value, mapper, path);
}

/**
 * What Microsoft's model of a request has against these values: unknown and read-only members, missing ones, wrong types,
 * values outside of closed sets, patterns and bounds. Unknown values of a preview pass.
 * @param base path of the object inside the resource's inputs; empty for the inputs themselves
 */
export function memberFailures(
  values: PropertyMap,
  known: Members,
  base: string,
  models: ModelPackage,
): CheckFailure[] {
  const at = (name: string) => (base === "" ? name : `${base}.${name}`);
  const missing = Object.entries(known).filter(([name, mapper]) => mapper.required && values[name] === undefined);
  const given = Object.entries(values).flatMap(([name, value]): CheckFailure[] => {
    const mapper = known[name];
    if (mapper === undefined) return failure(at(name), `'${at(name)}' is not a property that Azure knows`);
    if (mapper.readOnly) return failure(at(name), `'${at(name)}' is read-only: Azure sets it`);
    return valueFailures(value, mapper, at(name), models);
  });
  return [...missing.flatMap(([name]) => failure(at(name), `missing required property '${at(name)}'`)), ...given];
}
