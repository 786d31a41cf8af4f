import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { transformSync } from "esbuild";

/**
 * Microsoft's published models: the `@azure/arm-*` packages carry, for their serializer, every type of the REST API with
 * required and read-only members, closed sets of values, patterns, lengths and bounds. They are read, not copied.
 */
export const modelPackages = {
  authorization: "@azure/arm-authorization",
  compute: "@azure/arm-compute",
  keyvault: "@azure/arm-keyvault",
  msi: "@azure/arm-msi",
  network: "@azure/arm-network",
  storage: "@azure/arm-storage",
} as const;

export type ModelPackage = keyof typeof modelPackages;

/** What the serializer knows of one value (a `Mapper` of `@azure/core-client`). */
export interface Mapper {
  /** Where it stands in the request: `properties.storageProfile`; a dot inside a name is `\\.`. */
  serializedName?: string;
  required?: boolean;
  readOnly?: boolean;
  constraints?: Partial<Record<ConstraintName, number | string>>;
  type: MapperType;
}

type ConstraintName =
  | "ExclusiveMaximum"
  | "ExclusiveMinimum"
  | "InclusiveMaximum"
  | "InclusiveMinimum"
  | "MaxItems"
  | "MaxLength"
  | "MinItems"
  | "MinLength"
  | "MultipleOf"
  | "Pattern";

export type MapperType =
  | { name: "Composite"; className: string }
  | { name: "Dictionary"; value: Mapper }
  | { name: "Enum"; allowedValues: unknown[] }
  | { name: "Sequence"; element: Mapper }
  | { name: "Boolean" | "Date" | "DateTime" | "Number" | "Object" | "String" | "TimeSpan" | "Uuid" | "any" };

/** Members of a type by the name that SDKs give them. */
export type Members = Record<string, Mapper>;

interface CompositeMapper {
  type: { name: string; className: string; modelProperties?: Members; uberParent?: string };
}

/** All types of one package: class name to members. */
export type Models = Record<string, Members>;

function packageFolder(name: string): string {
  let folder = path.dirname(require.resolve(name));
  while (!fs.existsSync(path.join(folder, "package.json")) || !folder.endsWith(path.normalize(name))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`package ${name} is not installed: run npm ci`);
    folder = parent;
  }
  return folder;
}

/** Newer packages ship CommonJS; older ones the same file as a module only. */
function mappersFile(folder: string): string {
  const candidates = ["dist/commonjs/models/mappers.js", "dist-esm/src/models/mappers.js"];
  const found = candidates.map((file) => path.join(folder, file)).find((file) => fs.existsSync(file));
  if (found === undefined) throw new Error(`${folder} has no models/mappers.js: its layout has changed`);
  return found;
}

function evaluate(file: string): Record<string, CompositeMapper> {
  const source = fs.readFileSync(file, "utf8");
  const esbuild = require("esbuild") as { transformSync: typeof transformSync };
  const { code } = esbuild.transformSync(source, { format: "cjs", loader: "js" });
  const module = { exports: {} as Record<string, CompositeMapper> };
  new Function("module", "exports", "require", code)(module, module.exports, require);
  return module.exports;
}

function extract(mappers: Record<string, CompositeMapper>): Models {
  const composites = Object.values(mappers).filter((mapper) => mapper.type?.name === "Composite");
  return Object.fromEntries(composites.map(({ type }) => [type.className, type.modelProperties ?? {}]));
}

/** Patterns are kept by their source. */
function asData(_key: string, value: unknown): unknown {
  return value instanceof RegExp ? value.source : value;
}

/** Evaluating half a megabyte of mappers takes longer than a whole rehearsed `up`: their data is kept as JSON. */
function cached(name: string): Models {
  const folder = packageFolder(name);
  const source = mappersFile(folder);
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as { version: string };
  const digest = createHash("sha256").update(`2 ${name} ${version}`).digest("hex").slice(0, 16);
  const cache = path.join(folder.slice(0, -path.normalize(`node_modules/${name}`).length), ".cache", "models");
  const file = path.join(cache, `${digest}.json`);
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8")) as Models;
  const data = JSON.stringify(extract(evaluate(source)), asData);
  fs.mkdirSync(cache, { recursive: true });
  fs.writeFileSync(`${file}.${process.pid}`, data);
  fs.renameSync(`${file}.${process.pid}`, file);
  return JSON.parse(data) as Models;
}

const loaded = new Map<ModelPackage, Models>();

/** The members of a type; throws where the package has no such type. */
export function members(models: ModelPackage, className: string): Members {
  const known = loaded.get(models) ?? cached(modelPackages[models]);
  loaded.set(models, known);
  const found = known[className];
  if (found === undefined) throw new Error(`${modelPackages[models]} has no type ${className}`);
  return found;
}
