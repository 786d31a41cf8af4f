import { nearest } from "../config/nearest";
import { runChild } from "../process/child-process";
import { findOnPath } from "../process/find-program";
import { UsageError } from "../process/usage-error";

/**
 * The stack that is meant: the named one, else the one that Pulumi has selected, else the only one of `known`.
 * @returns undefined where none is selected and there are none or several
 * @throws UsageError where there is no such stack
 */
export async function chooseStack(wanted: string | undefined, known: readonly string[]): Promise<string | undefined> {
  const stack = wanted ?? (await selectedStack(known));
  if (stack === undefined || known.includes(stack)) return stack;
  const near = nearest(stack, known);
  const remedy = near ? `did you mean --stack ${near}` : known.join(", ") || "type pulumi stack init dev";
  throw new UsageError(`there is no stack ${stack} here: ${remedy}`);
}

/** The stack that Pulumi has selected, which need not be one of `known`; else the only one of `known`. */
export async function selectedStack(known: readonly string[]): Promise<string | undefined> {
  if (findOnPath("pulumi")) {
    const { code, stdout } = await runChild("pulumi", ["stack", "--show-name", "--non-interactive"], {
      deadlineMs: 15_000,
    });
    if (code === 0 && stdout.length > 0) return stdout.toString("utf8").trim().split("/").at(-1);
  }
  const [only, ...others] = known;
  return others.length === 0 ? only : undefined;
}
