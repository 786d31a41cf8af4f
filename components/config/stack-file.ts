import { parseDocument } from "yaml";
import { readIfThere } from "../process/read-if-there";

/** A stack's configuration as it lies on disk, for programs that run without Pulumi. */
export interface StackFile {
  /** A value by its whole key, as Pulumi would find it: the stack's own, else the project's. Encrypted ones are objects. */
  readonly value: (key: string) => unknown;
  /** Likewise, where the value may be written as JSON, as `pulumi config set` writes it. @throws if it is a text that is none */
  readonly structure: (key: string) => unknown;
  /** Whether a passphrase opens its encrypted values. */
  readonly hasPassphrase: boolean;
}

/** @throws if a file is no YAML, with its name, line and column */
export function readStackFile(stack: string): StackFile {
  const file = `Pulumi.${stack}.yaml`;
  const own = readYaml(file);
  const config = own.config as Record<string, unknown> | undefined;
  const project = readYaml("Pulumi.yaml").config as Record<string, unknown> | undefined;
  const value = (key: string) => {
    const fallback = project?.[key] as { value?: unknown; default?: unknown } | undefined;
    return config?.[key] ?? fallback?.value ?? fallback?.default;
  };
  return {
    hasPassphrase: own.encryptionsalt !== undefined,
    value,
    structure: (key) => parseText(file, key, value(key)),
  };
}

function parseText(file: string, key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new Error(`${file}: ${key} must be an object or a list, got ${JSON.stringify(value)}`);
  }
}

function readYaml(file: string): Record<string, unknown> {
  const content = readIfThere(file);
  if (content === undefined) return {};
  const document = parseDocument(content.toString("utf8"));
  const [fault] = document.errors;
  if (fault) throw new Error(`${placeOf(file, fault)}: ${reasonOf(fault.message)}: correct it there`);
  const read: unknown = document.toJS() ?? {};
  if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  throw new Error(
    `${file}:1: no YAML mapping, it begins with ${JSON.stringify(content.toString("utf8").slice(0, 20))}`,
  );
}

/** `Pulumi.dev.yaml:3:5`, as compilers write it and editors open it. */
function placeOf(
  file: string,
  { linePos }: { linePos?: readonly { line: number; col: number }[] | undefined },
): string {
  const [at] = linePos ?? [];
  return at ? `${file}:${at.line}:${at.col}` : file;
}

/** `Nested mappings are not allowed in compact mappings at line 3, column 5:` and the line -> the reason alone. */
function reasonOf(message: string): string {
  const [first = ""] = message.split("\n");
  const reason = first.replace(/ at line \d+, column \d+:?$/, "").replace(/:$/, "");
  return `no YAML, ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}
