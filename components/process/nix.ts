import type { Readable } from "node:stream";
import { type ChildResult, runChild } from "./child-process";
import { ProgramMissing } from "./find-program";

const FEATURES = ["--extra-experimental-features", "nix-command flakes"];

/**
 * Runs the user's Nix as it is set up, remote builders and binary caches included.
 * @param reading "inherit": its progress is seen as it comes; a function reads its output as it comes
 * @throws if there is none; a command that fails is a result
 */
export async function runNix(
  command: readonly string[],
  reading?: "inherit" | ((stdout: Readable) => void),
  withoutNix = "set sealed-onion:update to replace, which takes a disk that was built elsewhere (image.vhd)",
): Promise<ChildResult> {
  const options = typeof reading === "function" ? { consume: reading } : { stderr: reading ?? ("collect" as const) };
  try {
    return await runChild("nix", [...FEATURES, ...command], options);
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new Error(`nix is not on PATH: install it (https://nixos.org/download), or ${withoutNix}`);
  }
}
