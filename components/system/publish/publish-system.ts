import { pathsOf } from "../../image/image";
import { readBlob } from "../../image/upload/read-blob";
import { createAttempt } from "../../image/upload/retry";
import { StorageProblem } from "../../image/upload/storage-problem";
import { required, requiredCount, requiredJson, requiredUrl } from "../../process/environment";
import { interruption } from "../../process/interruption";
import { size } from "../../process/progress";
import { runMain } from "../../process/run-main";
import { openSigningKey } from "../signing-key/signing-key-file";
import { prune } from "./prune";
import { publish } from "./publish";
import { parseRelease } from "./release";
import { openSystemStore } from "./system-store";

/**
 * Signs a stack's system and uploads the store paths that neither the machine's image nor the container has: what
 * `SystemClosure` runs after the build. Parameters come in the environment: STACK, SYSTEM (what `build-system` printed),
 * CONTAINER_URL, IMAGE_URL, the blob of the machine's image, and KEEP, how many systems before this one stay there. One JSON line on standard output, a `Release`.
 *
 * Exit codes: 1 if it could not be published (run again, it goes on), 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const stack = required(process.env, "STACK");
  const { system } = requiredJson<{ system: string }>(process.env, "SYSTEM");
  const keep = requiredCount(process.env, "KEEP");
  const signal = interruption();
  const log = (line: string): void => console.error(line);
  const attempt = createAttempt({ signal, log });
  const { containerClient, firstContact, pageBlobClient } = await import("../../image/upload/blob-client.js");
  const client = await containerClient(requiredUrl(process.env, "CONTAINER_URL"), process.env);
  const image = await pageBlobClient(pathsOf(requiredUrl(process.env, "IMAGE_URL")), process.env);
  const store = openSystemStore(client, attempt);
  const there = await firstContact(client, () => store.paths(), signal, log);
  const inImage = await attempt(`read '${image.name}'`, async (abortSignal) => {
    const content = await readBlob(image, abortSignal);
    return new Set(content.toString("utf8").split("\n"));
  }).catch(absent);
  if (inImage === undefined) log("the image's list of store paths is not there: the whole system is uploaded, once");
  const key = await openSigningKey(stack);
  const before = parseRelease(process.env.PULUMI_COMMAND_STDOUT ?? "");
  const known = { there, inImage: inImage ?? new Set<string>(), before };
  const { of, paths, release, sent } = await publish({ stack, system }, known, { store, key, signal });
  log(`${paths} of ${of} store paths sent, ${size(sent)}`);
  const gone = await prune(store, keep + 1);
  if (gone > 0) log(`${gone} store paths deleted, which none of the last ${keep + 1} systems needs`);
  console.log(JSON.stringify(release));
}

function absent(error: unknown): undefined {
  if (error instanceof StorageProblem && error.code === "BlobNotFound") return undefined;
  throw error;
}

runMain(main, { label: "publish-system", exits: true });
