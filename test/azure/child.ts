import { spawn } from "node:child_process";

export interface ChildOutcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program with this environment and nothing else but PATH; with no proxy of the outside. */
export function runProgram(argv: string[], env: Record<string, string>, input?: string): Promise<ChildOutcome> {
  const [program = "", ...args] = argv;
  const { PATH = "", HOME = "", TMPDIR } = process.env;
  const child = spawn(program, args, { env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...env } });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      output[name] += chunk.toString("utf8");
    });
  }
  child.stdin.end(input ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
}

/** Runs a piece of JavaScript in a Node of its own: certificates and proxies are read when a process starts. */
export async function runScript(script: string, env: Record<string, string>): Promise<unknown> {
  const body = `(async () => { ${script} })().then((value) => process.stdout.write(JSON.stringify(value ?? null)))`;
  const failing = `${body}.catch((error) => { console.error(error.statusCode, error.code ?? error.name, error.message); process.exit(1); });`;
  const { code, stdout, stderr } = await runProgram([process.execPath, "-e", failing], env);
  if (code !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout);
}
