import { type MachineStatus, parseMachineStatus } from "./machine-status";

/** Reads what a stack's machines say of themselves. */
export interface StatusReader {
  /** Undefined: it has said nothing yet. */
  read(machine: string): Promise<MachineStatus | undefined>;
  /** The journal that it hands out, encrypted. Undefined: none. */
  logs(machine: string): Promise<Buffer | undefined>;
  /** The names of all machines that ever said something, the last one first. */
  machines(): Promise<string[]>;
}

const SUFFIX = ".json";
const LOGS = ".log.age";

/** @param containerUrl `https://ACCOUNT.blob.core.windows.net/status` */
export async function statusReader(containerUrl: string, signal: AbortSignal): Promise<StatusReader> {
  // The Azure SDK takes a while to load: only for what reads, not for a program's help or its mistakes.
  const [{ containerClient, firstContact }, { readBlob }, { createAttempt }, { StorageProblem }] = await Promise.all([
    import("../../image/upload/blob-client.js"),
    import("../../image/upload/read-blob.js"),
    import("../../image/upload/retry.js"),
    import("../../image/upload/storage-problem.js"),
  ]);
  const client = await containerClient(containerUrl, process.env);
  const log = (line: string): void => console.error(line);
  const attempt = createAttempt({ signal, log });
  async function download(name: string): Promise<Buffer | undefined> {
    const blob = client.getBlobClient(name);
    const content = () =>
      attempt(`read '${client.containerName}/${name}'`, (abortSignal) => readBlob(blob, abortSignal));
    try {
      return await firstContact(client, content, signal, log);
    } catch (error) {
      if (error instanceof StorageProblem && error.code === "BlobNotFound") return undefined;
      throw error;
    }
  }
  return {
    async read(machine) {
      const content = await download(`${machine}${SUFFIX}`);
      return content && parseMachineStatus(content.toString("utf8"));
    },
    logs: (machine) => download(`${machine}${LOGS}`),
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
