import { parse } from "yaml";
import { readIfThere } from "../process/read-if-there";

/** A stack's configuration as it lies on disk, for programs that run without Pulumi. */
export interface StackFile {
  /** A value by its whole key, as Pulumi would find it: the stack's own, else the project's. Encrypted ones are objects. */
  readonly value: (key: string) => unknown;
  /** Whether a passphrase opens its encrypted values. */
  readonly hasPassphrase: boolean;
}

/** @throws if a file is no YAML, with its name */
export function readStackFile(stack: string): StackFile {
  const own = readYaml(`Pulumi.${stack}.yaml`);
  const config = own.config as Record<string, unknown> | undefined;
  const project = readYaml("Pulumi.yaml").config as Record<string, unknown> | undefined;
  return {
    hasPassphrase: own.encryptionsalt !== undefined,
    value(key) {
      const fallback = project?.[key] as { value?: unknown; default?: unknown } | undefined;
      return config?.[key] ?? fallback?.value ?? fallback?.default;
    },
  };
}

function readYaml(file: string): Record<string, unknown> {
  const content = readIfThere(file);
  if (content === undefined) return {};
  try {
    return (parse(content.toString("utf8")) as Record<string, unknown> | null) ?? {};
  } catch (error) {
    throw new Error(`${file} is no YAML: ${(error as Error).message.split("\n")[0]}`);
  }
}
