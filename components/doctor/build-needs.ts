import { readStackFile } from "../config/stack-file";
import { defaultUpdate, updateNeeds } from "../system/update-settings";

/** What a stack's `up` runs to make what its machine boots and takes. */
export interface BuildNeeds {
  /** Builds an image, or a system that is taken in place. */
  readonly nix: boolean;
  /** Packs what is taken in place. (A disk that was packed by it is unpacked by it, which is said where it is read.) */
  readonly zstd: boolean;
}

/** Without a configuration: of a stack that has all defaults. @throws if the file is no YAML */
export function buildNeeds(stack: string | undefined): BuildNeeds {
  if (stack === undefined) return { nix: true, zstd: true };
  const { structure, value } = readStackFile(stack);
  const needs = updateNeeds((key) => (key === "image" ? structure : value)(`sealed-onion:${key}`));
  const zstd = (value("sealed-onion:update") ?? defaultUpdate(needs)) === "inPlace";
  return { nix: zstd || !needs.isBuiltElsewhere, zstd };
}
