import type { ContainerClient } from "@azure/storage-blob";
import { required, requiredCount, requiredUrl } from "../../process/environment";
import { interruption } from "../../process/interruption";
import { runMain } from "../../process/run-main";
import { blocksOf, pathsOf } from "../image";
import type { Attempt } from "../upload/retry";
import { type ListedBlob, oldImages, type PruneRequest, usedBefore } from "./old-images";

/**
 * Removes a stack's old images from its container, after the new one is in use: what `OnionVm` runs last. Parameters
 * come in the environment: CONTAINER_URL, STACK, CURRENT (the blob in use) and KEEP (how many other ones stay). One
 * JSON line on standard output, `{"removed":[names],"used":[names]}`: Pulumi gives it to the next run, in
 * PULUMI_COMMAND_STDOUT, which knows from it what was in use before.
 *
 * Exit codes: 1 if blobs could not be listed or removed, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const request = readRequest(process.env);
  const [{ containerClient, firstContact }, { createAttempt }] = await Promise.all([
    import("../upload/blob-client.js"),
    import("../upload/retry.js"),
  ]);
  const log = (line: string): void => console.error(line);
  const signal = interruption();
  const attempt = createAttempt({ signal, log });
  const client = await containerClient(requiredUrl(process.env, "CONTAINER_URL"), process.env);
  const blobs = await firstContact(client, () => listBlobs(client, request.stack, attempt), signal, log);
  const removed: string[] = [];
  for (const blob of oldImages(blobs, request, new Date())) {
    if (await removeBlob(client, blob, attempt)) removed.push(blob.name);
  }
  if (removed.length > 0) log(`removed ${removed.length} old images of ${request.stack}: ${removed.join(", ")}`);
  const left = blobs.map(({ name }) => name).filter((name) => !removed.includes(name));
  const used = [request.current, ...request.used].filter((name) => left.includes(name));
  console.log(JSON.stringify({ removed, used }));
}

function readRequest(environment: NodeJS.ProcessEnv): PruneRequest {
  const keep = requiredCount(environment, "KEEP");
  const current = required(environment, "CURRENT");
  const used = usedBefore(environment.PULUMI_COMMAND_STDOUT).filter((name) => name !== current);
  return { stack: required(environment, "STACK"), current, keep, used };
}

function listBlobs(client: ContainerClient, stack: string, attempt: Attempt): Promise<ListedBlob[]> {
  return attempt(`list '${client.containerName}'`, async (abortSignal) => {
    const blobs: ListedBlob[] = [];
    for await (const item of client.listBlobsFlat({ abortSignal, includeMetadata: true, prefix: `${stack}-` })) {
      const { etag, lastModified, leaseState } = item.properties;
      blobs.push({
        name: item.name,
        etag,
        isComplete: item.metadata?.complete === "true",
        isLeased: leaseState === "leased" || leaseState === "breaking",
        lastModified,
      });
    }
    return blobs;
  });
}

/** False where somebody has taken, changed or removed it meanwhile. */
function removeBlob(client: ContainerClient, { etag, name }: ListedBlob, attempt: Attempt): Promise<boolean> {
  return attempt(`remove '${client.containerName}/${name}'`, async (abortSignal) => {
    try {
      for (const beside of [blocksOf(name), pathsOf(name)]) {
        await client.getBlobClient(beside).deleteIfExists({ abortSignal }); // first: nothing finds it alone
      }
      await client.deleteBlob(name, { abortSignal, conditions: { ifMatch: etag } });
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (["BlobNotFound", "ConditionNotMet", "LeaseIdMissing"].includes(code ?? "")) return false;
      throw error;
    }
  });
}

runMain(main, { label: "prune", exits: true });
