import * as path from "node:path";
import { build } from "esbuild";

/** Where the VM tests look for their Azure: nix/tests/default.nix. Not committed, and no part of an image's digest. */
const BUNDLE = path.join("nix", "tests", ".bundle", "azure.cjs");

/**
 * Puts the loopback Azure, with all it needs, into one file that a Nix flake at `nix/` can see.
 * @returns the file
 */
export async function bundleAzure(): Promise<string> {
  await build({
    entryPoints: [path.join("test", "azure", "serve", "serve.ts")],
    outfile: BUNDLE,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "error",
    // Its storage accounts are processes of Azurite's own, which the VM tests do not ask for.
    logOverride: { "require-resolve-not-external": "silent" },
  });
  return BUNDLE;
}
