import * as os from "node:os";
import * as path from "node:path";
import { runChild } from "../../process/child-process";
import { findOnPath } from "../../process/find-program";
import { howToInstall } from "../../process/tools";
import { UsageError } from "../../process/usage-error";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a visitor sent may steer a terminal
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** The machine hands out 1 MiB. */
const MOST_BYTES = 16 * 2 ** 20;
const DEADLINE_MS = 120_000;

/**
 * Opens what a machine has handed out, in memory, with the operator's key: that of `SOPS_AGE_KEY_FILE` or
 * `SOPS_AGE_SSH_PRIVATE_KEY_FILE`, else `~/.ssh/id_ed25519`. age may ask for a passphrase on the terminal.
 * @returns the journal's text; no character in it steers a terminal
 * @throws UsageError where age is not there
 */
export async function openLogs(sealed: Uint8Array, environment: NodeJS.ProcessEnv): Promise<string> {
  if (findOnPath("age") === undefined) throw new UsageError(`--logs needs age on PATH: ${howToInstall("age")}`);
  const { SOPS_AGE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_FILE, HOME = os.homedir() } = environment;
  const key = SOPS_AGE_KEY_FILE || SOPS_AGE_SSH_PRIVATE_KEY_FILE || path.join(HOME, ".ssh", "id_ed25519");
  const options = { input: sealed, deadlineMs: DEADLINE_MS, maximumOutput: MOST_BYTES };
  const { code, stdout, stderr } = await runChild("age", ["--decrypt", "--identity", key], options);
  if (code === 0) return stdout.toString("utf8").replace(CONTROL, "");
  const reason = stderr.split("\n").find((line) => line.startsWith("age: error: "));
  const why = (reason ?? `age ends with ${code}`).replace("age: error: ", "");
  throw new Error(`${key} does not open the logs (${why}): export SOPS_AGE_KEY_FILE=FILE with a recipient's key`);
}
