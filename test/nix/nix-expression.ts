import * as path from "node:path";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";

/** Whether there is no Nix here: tests that need one are skipped, and say so. */
export const noNix = !findOnPath("nix-instantiate");

/** What a Nix expression over the guest's pure functions (`nix/lib`) comes to, or the words it is refused with. */
export async function nix(expression: string): Promise<unknown> {
  const library = path.resolve("nix", "lib");
  const functions = `
    rules = import ${library}/rules.nix;
    address = import ${library}/onion-address.nix; inherit (import ${library}/facts.nix) parseFacts;
    placeProblems = import ${library}/place-problems.nix; serviceProblems = import ${library}/service-problems.nix;
    stacks = import ${library}/stacks.nix; confinement = import ${library}/confinement.nix;
    agentSettings = import ${library}/vault-agent-settings.nix;
    loginEnvironment = import ${library}/vault-login-environment.nix;`;
  const { code, stdout, stderr } = await runChild("nix-instantiate", [
    ...["--store", "dummy://", "--eval", "--strict", "--json"],
    ...["-E", `let ${functions} in ${expression}`],
  ]);
  return code === 0 ? JSON.parse(stdout.toString("utf8")) : refusal(stderr);
}

/** Nix's own first line: `error: WORDS`, or below a trace in later versions. */
function refusal(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => /^\s*error: /.test(line));
  return lines.at(-1)?.replace(/^\s*error: /, "") ?? stderr;
}
