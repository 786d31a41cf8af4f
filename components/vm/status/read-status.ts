import { containerClient, firstContact } from "../../image/upload/blob-client";
import { createAttempt } from "../../image/upload/retry";
import { StorageProblem } from "../../image/upload/storage-problem";
import { type MachineStatus, parseMachineStatus } from "./machine-status";

/** Reads what a stack's machines say of themselves. */
export interface StatusReader {
  /** Undefined: it has said nothing yet. */
  read(machine: string): Promise<MachineStatus | undefined>;
  /** The names of all machines that ever said something, the last one first. */
  machines(): Promise<string[]>;
}

const SUFFIX = ".json";

/** @param containerUrl `https://ACCOUNT.blob.core.windows.net/status` */
export async function statusReader(containerUrl: string, signal: AbortSignal): Promise<StatusReader> {
  const client = await containerClient(containerUrl, process.env);
  const log = (line: string): void => console.error(line);
  const attempt = createAttempt({ signal, log });
  return {
    async read(machine) {
      try {
        const blob = client.getBlobClient(`${machine}${SUFFIX}`);
        const content = await firstContact(
          client,
          () =>
            attempt(`read '${client.containerName}/${blob.name}'`, (abortSignal) =>
              blob.downloadToBuffer(0, undefined, { abortSignal }),
            ),
          signal,
          log,
        );
        return parseMachineStatus(content.toString("utf8"));
      } catch (error) {
        if (error instanceof StorageProblem && error.code === "BlobNotFound") return undefined;
        throw error;
      }
    },
    async machines() {
      const found = await attempt(`list '${client.containerName}'`, async (abortSignal) => {
        const blobs: { name: string; at: number }[] = [];
        for await (const { name, properties } of client.listBlobsFlat({ abortSignal })) {
          blobs.push({ name, at: properties.lastModified.getTime() });
        }
        return blobs;
      });
      const named = found.filter(({ name }) => name.endsWith(SUFFIX)).sort((left, right) => right.at - left.at);
      return named.map(({ name }) => name.slice(0, -SUFFIX.length));
    },
  };
}
