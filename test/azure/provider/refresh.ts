import { isMap, type PropertyMap } from "./values";

function without(values: PropertyMap, path: string): PropertyMap {
  const [first = "", ...rest] = path.split(".");
  const { [first]: inner, ...others } = values;
  if (inner === undefined) return values;
  if (rest.length === 0 || !isMap(inner)) return rest.length === 0 ? others : values;
  return { ...others, [first]: without(inner, rest.join(".")) };
}

function has(values: unknown, path: string): boolean {
  return (
    path.split(".").reduce<unknown>((value, part) => (isMap(value) ? value[part] : undefined), values) !== undefined
  );
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The value of an input after what it stands for changed from `was` to `is`: only what changed is taken over. */
function drifted(input: unknown, was: unknown, is: unknown): unknown {
  if (same(was, is)) return input;
  if (isMap(input) && isMap(was) && isMap(is)) return driftedMap(input, was, is);
  if (Array.isArray(input) && Array.isArray(was) && Array.isArray(is))
    return is.map((item, index) =>
      index < input.length && index < was.length ? drifted(input[index], was[index], item) : item,
    );
  return is;
}

function driftedMap(inputs: PropertyMap, was: PropertyMap, is: PropertyMap): PropertyMap {
  const keys = [...new Set([...Object.keys(inputs), ...Object.keys(is)])];
  const merged = keys.flatMap((key): [string, unknown][] => {
    if (same(was[key], is[key])) return inputs[key] === undefined ? [] : [[key, inputs[key]]];
    return is[key] === undefined ? [] : [[key, drifted(inputs[key], was[key], is[key])]];
  });
  return Object.fromEntries(merged);
}

/**
 * The inputs that a refresh writes into the state, as azure-native infers them: what changed between the answer that was
 * recorded and the one of now goes into the inputs, defaults that Azure filled in do not (provider.go, Read).
 * @param ownedElsewhere properties which other resources own unless the inputs give them
 */
export function mergeDrift(
  inputs: PropertyMap,
  was: PropertyMap,
  is: PropertyMap,
  ownedElsewhere: readonly string[],
): PropertyMap {
  const foreign = ownedElsewhere.filter((path) => !has(inputs, path));
  const strip = (values: PropertyMap) => foreign.reduce(without, values);
  return driftedMap(inputs, strip(was), strip(is));
}
