import * as path from "node:path";
import { type ChildResult, runChild } from "../../components/process/child-process";
import { withGuestPrograms } from "../rehearsal/guest/guest-programs";

/**
 * Runs one of the guest's scripts as its unit does (writeShellApplication's shell options). The environment is the given
 * one and PATH: nothing of the workstation's leaks in.
 */
export function runGuestScript(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ChildResult> {
  const options = ["-o", "errexit", "-o", "nounset", "-o", "pipefail"];
  const script = path.resolve("nix", "scripts", `${name}.sh`);
  const PATH = withGuestPrograms(environment.PATH);
  return runChild("bash", [...options, script, ...args], { environment: { ...environment, PATH } });
}
