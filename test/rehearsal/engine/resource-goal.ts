import { isCovered } from "loopback-azure/provider/property-diff";
import type { ChangeKind, Diff } from "loopback-azure/provider/provider";
import { isMap, type PropertyMap, secret } from "loopback-azure/provider/values";

/** What a program wants a resource to be. */
export interface ResourceGoal {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  parent: string;
  inputs: PropertyMap;
  dependencies: string[];
  /** Other URNs that it may have had. */
  aliases: string[];
  protect: boolean;
  retainOnDelete: boolean;
  deletedWith: string;
  /** Undefined: the provider decides. */
  deleteBeforeReplace: boolean | undefined;
  replaceOnChanges: string[];
  ignoreChanges: string[];
  additionalSecretOutputs: string[];
}

/** Changes that the program asks to make a new resource of do so. */
export function withReplaceOnChanges(diff: Diff, paths: readonly string[]): Diff {
  const asks = (path: string) => paths.includes("*") || isCovered(path, paths);
  const detailed = Object.entries(diff.detailed).map(([path, kind]): [string, ChangeKind] => {
    const replaces = kind.endsWith("-replace") || asks(path);
    return [path, replaces ? (`${kind.replace("-replace", "")}-replace` as ChangeKind) : kind];
  });
  return { ...diff, detailed: Object.fromEntries(detailed) };
}

function keep(values: PropertyMap, old: PropertyMap, path: string[]): PropertyMap {
  const [first = "", ...rest] = path;
  if (rest.length === 0) {
    const { [first]: _, ...others } = values;
    return old[first] === undefined ? others : { ...others, [first]: old[first] };
  }
  const [inner, was] = [values[first], old[first]];
  return isMap(inner) && isMap(was) ? { ...values, [first]: keep(inner, was, rest) } : values;
}

/** Inputs whose changes the program ignores stay as they are; one that was not there stays away. */
export function withIgnoredKept(inputs: PropertyMap, old: PropertyMap, paths: readonly string[]): PropertyMap {
  return paths.reduce((values, path) => keep(values, old, path.split(".")), inputs);
}

export function withSecretOutputs(outputs: PropertyMap, names: readonly string[]): PropertyMap {
  const hidden = names.filter((name) => outputs[name] !== undefined && !isMap(outputs[name]));
  return { ...outputs, ...Object.fromEntries(hidden.map((name) => [name, secret(outputs[name])])) };
}
