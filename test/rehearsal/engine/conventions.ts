import { createHash } from "node:crypto";
import { replacements } from "loopback-azure/provider/property-diff";
import type { Diff } from "loopback-azure/provider/provider";

/** `azure-native:keyvault:Key` -> `azure-native`. */
export function packageOf(type: string): string {
  return type.startsWith("pulumi:providers:") ? type.slice("pulumi:providers:".length) : (type.split(":")[0] ?? "");
}

/** A preview and its update get the same seed for a resource, so that automatic names agree. */
export function seedOf(urn: string): Uint8Array {
  return createHash("sha256").update(urn).digest();
}

/** @returns the error with which Pulumi refuses to delete what is protected */
export function protectedError(urn: string): Error {
  return new Error(
    `resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either remove the \`protect\` flag from the resource in your Pulumi program and run \`pulumi up\`, or use the command:\n\`pulumi state unprotect '${urn}'\``,
  );
}

/** What a step says of a diff. */
export function reasonsOf({ detailed }: Diff) {
  const top = (paths: string[]) => [...new Set(paths.map((path) => path.split(/[.[]/)[0] ?? ""))];
  return {
    diffReasons: top(Object.keys(detailed)),
    replaceReasons: top(replacements(detailed)),
    detailedDiff: Object.fromEntries(Object.entries(detailed).map(([path, kind]) => [path, { kind, inputDiff: true }])),
  };
}
