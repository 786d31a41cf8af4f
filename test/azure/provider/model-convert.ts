import { STRING_SETS } from "./model-check";
import { type Mapper, type Members, type ModelPackage, members } from "./models";
import { isMap, type PropertyMap, UNKNOWN } from "./values";

/** `properties.networkAcls` -> its parts; `\.` is a dot inside a name. */
function parts(serializedName: string): string[] {
  return serializedName.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
}

function put(target: PropertyMap, path: string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = isMap(target[first]) ? target[first] : {};
  target[first] = inner;
  put(inner, rest, value);
}

function take(source: unknown, path: string[]): unknown {
  return path.reduce<unknown>((value, part) => (isMap(value) ? value[part] : undefined), source);
}

function wireValue(value: unknown, mapper: Mapper, models: ModelPackage): unknown {
  const { type } = mapper;
  if (type.name === "Composite" && isMap(value)) return toWire(value, members(models, type.className), models);
  if (type.name === "Sequence" && Array.isArray(value))
    return value.map((item) => wireValue(item, type.element, models));
  if (type.name === "Dictionary" && Array.isArray(value)) return Object.fromEntries(value.map((key) => [key, {}]));
  if (type.name === "Dictionary" && isMap(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wireValue(item, type.value, models)]));
  return value;
}

/** Inputs in the SDK's shape -> the body that goes to management.azure.com (nested `properties`). */
export function toWire(values: PropertyMap, known: Members, models: ModelPackage): PropertyMap {
  const body: PropertyMap = {};
  for (const [name, mapper] of Object.entries(known)) {
    if (values[name] === undefined) continue;
    put(body, parts(mapper.serializedName ?? name), wireValue(values[name], mapper, models));
  }
  return body;
}

function sdkValue(value: unknown, mapper: Mapper, models: ModelPackage): unknown {
  const { type } = mapper;
  if (type.name === "Composite" && isMap(value)) return fromWire(value, members(models, type.className), models);
  if (type.name === "Sequence" && Array.isArray(value))
    return value.map((item) => sdkValue(item, type.element, models));
  if (type.name === "Dictionary" && isMap(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sdkValue(item, type.value, models)]));
  return value;
}

/** An answer of management.azure.com -> outputs in the SDK's shape. */
export function fromWire(answer: PropertyMap, known: Members, models: ModelPackage): PropertyMap {
  const found = Object.entries(known).map(([name, mapper]): [string, unknown] => {
    const value = take(answer, parts(mapper.serializedName ?? name));
    return [name, value === undefined ? undefined : sdkValue(value, mapper, models)];
  });
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

function previewValue(value: unknown, mapper: Mapper, models: ModelPackage): unknown {
  const { type } = mapper;
  if (value === undefined) return UNKNOWN;
  if (type.name === "Composite" && isMap(value)) return previewOutputs(value, members(models, type.className), models);
  if (type.name === "Sequence" && Array.isArray(value))
    return value.map((item) => previewValue(item, type.element, models));
  return value;
}

/**
 * What a preview knows of a resource that is not there yet: its inputs; everything else in the answer is unknown
 * (azure-native, convert.PreviewOutputs).
 */
export function previewOutputs(inputs: PropertyMap, known: Members, models: ModelPackage): PropertyMap {
  const found = Object.entries(known).map(([name, mapper]) => [name, previewValue(inputs[name], mapper, models)]);
  return Object.fromEntries(found);
}

/** Only what a user may set: an answer without its read-only members, to compare with inputs. */
export function settable(outputs: PropertyMap, known: Members, models: ModelPackage): PropertyMap {
  const found = Object.entries(known).flatMap(([name, mapper]): [string, unknown][] => {
    const value = outputs[name];
    if (mapper.readOnly || value === undefined) return [];
    if (STRING_SETS.has(name) && isMap(value)) return [[name, Object.keys(value)]];
    return [[name, settableValue(value, mapper, models)]];
  });
  return Object.fromEntries(found);
}

function settableValue(value: unknown, mapper: Mapper, models: ModelPackage): unknown {
  const { type } = mapper;
  if (type.name === "Composite" && isMap(value)) return settable(value, members(models, type.className), models);
  if (type.name === "Sequence" && Array.isArray(value))
    return value.map((item) => settableValue(item, type.element, models));
  return value;
}
