import { type ChildOptions, runChild } from "../../../components/process/child-process";

/** Runs a program that must succeed. @returns what it printed */
export async function succeed(program: string, args: readonly string[], options: ChildOptions = {}): Promise<string> {
  const { code, stdout, stderr, timedOut } = await runChild(program, args, options);
  const ended = timedOut ? "took too long" : `ended with ${code}`;
  if (code !== 0)
    throw new Error(`${program} ${args.join(" ")} ${ended}: ${stderr.trim() || stdout.toString("utf8").trim()}`);
  return stdout.toString("utf8");
}
