import type { AccessToken, TokenCredential } from "@azure/core-auth";
import type { ContainerClient } from "@azure/storage-blob";
import { type BlockIndex, readBlockIndex } from "../disk/block-index";
import { blocksOf, isImageBlobOf } from "../image";
import { containerOf } from "./blob-client";
import type { CopySource } from "./image-blob";
import { readBlob } from "./read-blob";
import type { Attempt } from "./retry";

/** An image that the stack uploaded before: what it has is copied from there, and not sent again. */
export interface EarlierImage {
  readonly name: string;
  readonly index: BlockIndex;
  /** Where Azure reads it, and by which right. */
  readonly source: () => Promise<CopySource>;
}

/** The other blobs of a stack's container. */
export interface Neighbours {
  /** The image that was completed last, if its block hashes are there. */
  findEarlier(attempt: Attempt): Promise<EarlierImage | undefined>;
  /** Keeps an image's block hashes for the next one. */
  saveBlocks(attempt: Attempt, blocks: Buffer): Promise<void>;
}

const SCOPE = "https://storage.azure.com/.default";
/** A token is renewed so long before its end. */
const MARGIN_MS = 2 * 60_000;

export async function openNeighbours(
  blobUrl: string,
  stack: string,
  environment: NodeJS.ProcessEnv,
): Promise<Neighbours> {
  const { blob, client, credential } = await containerOf(blobUrl, environment);
  const bearer = credential && keptToken(credential);
  return {
    async findEarlier(attempt) {
      const name = await attempt(`list '${client.containerName}'`, (signal) => lastImage(client, stack, blob, signal));
      if (name === undefined) return undefined;
      const bytes = await attempt(`read '${client.containerName}/${blocksOf(name)}'`, (signal) =>
        readBlob(client.getBlobClient(blocksOf(name)), signal),
      );
      const { url } = client.getBlobClient(name); // with its SAS, where there is one
      const source = async (): Promise<CopySource> => ({ url, ...(bearer && { bearer: await bearer() }) });
      return { name, index: readBlockIndex(bytes), source };
    },
    async saveBlocks(attempt, blocks) {
      const target = client.getBlockBlobClient(blocksOf(blob));
      await attempt(`put '${client.containerName}/${blocksOf(blob)}'`, (abortSignal) =>
        target.upload(blocks, blocks.length, { abortSignal }),
      );
    },
  };
}

async function lastImage(client: ContainerClient, stack: string, own: string, abortSignal: AbortSignal) {
  const names = new Set<string>();
  const images: { name: string; completedAt: string }[] = [];
  for await (const { metadata, name } of client.listBlobsFlat({
    abortSignal,
    includeMetadata: true,
    prefix: `${stack}-`,
  })) {
    names.add(name);
    if (metadata?.complete !== "true" || name === own || !isImageBlobOf(stack, name)) continue;
    images.push({ name, completedAt: metadata.completedat ?? "" });
  }
  const usable = images.filter(({ name }) => names.has(blocksOf(name)));
  usable.sort((left, right) => (left.completedAt < right.completedAt ? 1 : -1));
  return usable[0]?.name;
}

/** Many copies ask at once: a login through another program, as `az`, takes seconds. */
function keptToken(credential: TokenCredential): () => Promise<string> {
  let asked: Promise<AccessToken | null> | undefined;
  return async () => {
    const token = await asked?.catch(() => undefined);
    if (!token || token.expiresOnTimestamp - Date.now() < MARGIN_MS) asked = credential.getToken(SCOPE);
    return (await asked)?.token ?? "";
  };
}
