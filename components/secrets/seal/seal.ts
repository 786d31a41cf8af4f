import { text } from "node:stream/consumers";
import { endWithParent } from "../../process/child-process";
import { runMain } from "../../process/run-main";
import { sealTogether } from "../helper/seal-client";
import { readRequest, readTarget, type SealRequest, type SealResult } from "./seal-request";

/**
 * Seals one declared secret: what a `SealedSecret` runs on the workstation. Its parameters come in the environment
 * (see `SealRequest`); the plaintext comes from the secret's own source, and goes only to sops, by a pipe.
 *
 *   node components/start/run.mjs seal            create or update; prints a `SealResult` as one JSON line
 *   node components/start/run.mjs seal --remove   the declaration is gone: removes its sealed file, or puts it aside
 *
 * Exit codes: 1 if it could not be sealed (the previous sealed file stands), 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  if (process.argv[2] === "--remove") return remove();
  const key = await readKey();
  const request = readRequest(process.env, key);
  const { stack, recipients } = request;
  const asked = { environment: process.env, folder: process.cwd(), key };
  const sealed = await sealTogether(asked, { stack, keyUrl: recipients.keyUrl });
  console.log(JSON.stringify(sealed ?? (await sealAlone(request))));
}

async function sealAlone(request: SealRequest): Promise<SealResult> {
  const { sealSecret } = await import("./seal-secret.js");
  return sealSecret(request);
}

/** Standard input is empty where a person runs this, or an older version's state does. */
async function readKey(): Promise<string> {
  return process.stdin.isTTY ? "" : text(process.stdin);
}

async function remove(): Promise<void> {
  const { stack, name } = readTarget(process.env);
  const { removeSecret } = await import("./remove-secret.js");
  console.error(await removeSecret(stack, name));
}

endWithParent();
runMain(main, { label: process.env.SECRET || "seal" }); // others may still be waiting for what this process has read
