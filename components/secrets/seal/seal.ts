import { createRequire } from "node:module";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { runMain } from "../../process/run-main";
import { sealTogether } from "../helper/seal-client";

/**
 * Seals one declared secret: what a `SealedSecret` runs on the workstation. Its parameters come in the environment
 * (see `SealRequest`); the plaintext comes from the secret's own source, and goes only to sops, by a pipe.
 *
 *   node components/start/run.mjs seal            create or update; prints a `SealResult` as one JSON line
 *   node components/start/run.mjs seal --for PID  the same for a shell: ends with that process, too
 *   node components/start/run.mjs seal --remove   the declaration is gone: removes its sealed file, or puts it aside
 *
 * Exit codes: 1 if it could not be sealed (the previous sealed file stands), 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const [mode, waiting] = process.argv.slice(2);
  if (mode === "--remove") return loadAlone().removeSealed();
  const key = await readKey();
  const code = await sealTogether(process.env, key);
  if (code === undefined) await loadAlone().sealAlone(key, mode === "--for" ? Number(waiting) : undefined);
  else process.exitCode = code;
}

/** Standard input is empty where a person runs this, or an older version's state does. */
async function readKey(): Promise<string> {
  return process.stdin.isTTY ? "" : text(process.stdin);
}

/** A bundle of its own: where there is a helper, this program only asks it. */
function loadAlone(): typeof import("./seal-alone") {
  const [, self = ""] = process.argv; // the path of this file, see run.mjs; it may be run in any folder
  const fromStart = createRequire(path.join(path.dirname(self), "..", "..", "start", "run.mjs"));
  return fromStart("./bundle.cjs").load("components/secrets/seal/seal-alone.ts");
}

runMain(main, { label: process.env.SECRET || "seal" });
