import { createHash } from "node:crypto";
import type { BlobLeaseClient, PageBlobClient, PageBlobUploadPagesOptions } from "@azure/storage-blob";
import type { Range } from "../disk/data-ranges";
import type { Attempt } from "./retry";
import { codeOf, problemOf, StorageProblem } from "./storage-problem";

/** What a blob says about itself. */
export interface BlobState {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly isPageBlob: boolean;
  /** All of it is there and was verified: set last, and never changed again. */
  readonly isComplete: boolean;
  /** The digest that names the image; empty where another program made the blob. */
  readonly digest: string;
  /** `createContentHash()` of the whole content; empty until it is complete. */
  readonly contentHash: string;
  /** When it was completed, ISO 8601 in UTC; empty until then. Stays the same, for every reader at any time. */
  readonly completedAt: string;
  readonly isLeased: boolean;
  /** Leased by something that need not renew it, as a VM's disk is: waiting is of no use. */
  readonly isLeasedForever: boolean;
  /** When content or metadata changed last; a lease changes neither. Whole seconds. */
  readonly lastModified: Date;
  /** When this was said, by Azure's clock. */
  readonly asOf: Date;
}

/** Requests to one page blob, each tried within the upload's budget. Writes need the lease's id. */
export interface ImageBlob {
  /** `container/name`, for messages. */
  readonly name: string;
  /** Undefined where there is no blob. */
  state(): Promise<BlobState | undefined>;
  /** Makes an empty blob of full size: its ETag. Undefined where one is there already, which is left alone. */
  create(size: number, digest: string): Promise<string | undefined>;
  /** Empties and resizes a blob that nobody has changed since `etag`. */
  restart(size: number, digest: string, lease: string, etag: string): Promise<void>;
  /** Ranges that were written, in order. Others read as zeros. */
  writtenRanges(lease: string): Promise<Range[]>;
  /** MD5 of a range of at most 4 MiB, as Azure computes it. */
  md5(range: Range): Promise<Buffer>;
  /** @param crc64 what Azure compares the bytes with that arrive */
  put(range: Range, bytes: Buffer, crc64: Buffer, lease: string): Promise<void>;
  /**
   * Has Azure copy a range from another blob of the account. Tried once: the range can be sent as well.
   * @param md5 of what it is to be
   * @returns false where the source holds something else, and nothing was written
   */
  putFrom(
    range: Range,
    from: CopySource,
    offset: number,
    md5: Buffer,
    lease: string,
    signal: AbortSignal,
  ): Promise<boolean>;
  clear(range: Range, lease: string): Promise<void>;
  /** Marks the blob as complete, if nobody has changed it since `etag`. */
  complete(completion: Completion, lease: string, etag: string): Promise<void>;
  lease(id: string): BlobLeaseClient;
  /** What to type to do something with the blob by hand. */
  command(verb: "delete" | "lease break"): string;
}

/** A blob that Azure reads for us. */
export interface CopySource {
  /** With its SAS, if that is the right to read it. */
  readonly url: string;
  /** A token for it. */
  readonly bearer?: string | undefined;
}

/** What a complete blob says about itself. */
export type Completion = Pick<BlobState, "completedAt" | "contentHash" | "digest">;

/** Names of metadata, which Azure keeps in lower case. */
const incomplete = (digest: string) => ({ digest, complete: "false" });
const complete = ({ completedAt, contentHash, digest }: Completion) => ({
  digest,
  complete: "true",
  contenthash: contentHash,
  completedat: completedAt,
});

export function openImageBlob(client: PageBlobClient, attempt: Attempt): ImageBlob {
  const name = `${client.containerName}/${client.name}`;
  const bytes = ({ start, end }: Range): string => `range ${start}-${end - 1} of '${name}'`;
  let knowsCrc64 = true;
  const about = (abortSignal: AbortSignal, leaseId: string, ifMatch?: string) => ({
    abortSignal,
    conditions: { leaseId, ...(ifMatch === undefined ? {} : { ifMatch }) },
  });
  return {
    name,
    lease: (id) => client.getBlobLeaseClient(id),
    command(verb) {
      const place = `--account-name ${client.accountName} --container-name ${client.containerName}`;
      const named = verb === "delete" ? "--name" : "--blob-name";
      return `az storage blob ${verb} --auth-mode login ${place} ${named} ${client.name}`;
    },
    state: () => attempt(`read the state of '${name}'`, (signal) => readState(client, signal)),
    create: (size, digest) =>
      attempt(`create '${name}'`, (abortSignal) =>
        unlessThere(
          client.create(size, { abortSignal, conditions: { ifNoneMatch: "*" }, metadata: incomplete(digest) }),
        ),
      ),
    async restart(size, digest, lease, etag) {
      await attempt(`restart '${name}'`, (signal) =>
        client.create(size, { ...about(signal, lease, etag), metadata: incomplete(digest) }),
      );
    },
    writtenRanges: (lease) =>
      attempt(`list the ranges of '${name}'`, async (signal) => {
        const ranges: Range[] = [];
        for await (const { start, end } of client.listPageRanges(0, undefined, about(signal, lease))) {
          ranges.push({ start, end: end + 1 }); // Azure's ends are inclusive
        }
        return ranges;
      }),
    md5: (range) => attempt(`verify ${bytes(range)}`, (signal) => readMd5(client, range, signal)),
    async put(range, content, crc64, lease) {
      const send = (check: PageBlobUploadPagesOptions) =>
        attempt(`put ${bytes(range)}`, (signal) =>
          client.uploadPages(content, range.start, content.length, { ...about(signal, lease), ...check }),
        );
      const md5 = (): PageBlobUploadPagesOptions => ({ transactionalContentMD5: md5Of(content) });
      if (!knowsCrc64) return void (await send(md5()));
      await send({ transactionalContentCrc64: crc64 }).catch((error: unknown) => {
        if (!(error instanceof StorageProblem) || error.code !== "FeatureNotSupported") throw error;
        knowsCrc64 = false; // an Azurite in its strict mode
        return send(md5());
      });
    },
    async putFrom(range, { bearer, url }, offset, md5, lease, signal) {
      const right = bearer && { sourceAuthorization: { scheme: "Bearer", value: bearer } };
      const options = { ...about(signal, lease), sourceContentMD5: md5, ...right };
      try {
        await client.uploadPagesFromURL(url, offset, range.start, range.end - range.start, options);
        return true;
      } catch (error) {
        signal.throwIfAborted();
        if (codeOf(error) === "Md5Mismatch") return false;
        throw problemOf(`copy to ${bytes(range)}`, error);
      }
    },
    async clear(range, lease) {
      if (range.end <= range.start) throw new RangeError(`no bytes to clear in ${bytes(range)}`); // the SDK would clear all
      await attempt(`clear ${bytes(range)}`, (signal) =>
        client.clearPages(range.start, range.end - range.start, about(signal, lease)),
      );
    },
    async complete(completion, lease, etag) {
      await attempt(`complete '${name}'`, (signal) =>
        client.setMetadata(complete(completion), about(signal, lease, etag)),
      );
    },
  };
}

async function readState(client: PageBlobClient, abortSignal: AbortSignal): Promise<BlobState | undefined> {
  try {
    const properties = await client.getProperties({ abortSignal });
    const metadata = properties.metadata ?? {};
    return {
      etag: properties.etag ?? "",
      size: properties.contentLength ?? 0,
      isPageBlob: properties.blobType === "PageBlob",
      isComplete: metadata.complete === "true",
      digest: metadata.digest ?? "",
      contentHash: metadata.contenthash ?? "",
      completedAt: metadata.completedat ?? "",
      isLeased: properties.leaseState === "leased" || properties.leaseState === "breaking",
      isLeasedForever: properties.leaseState === "leased" && properties.leaseDuration === "infinite",
      lastModified: properties.lastModified ?? new Date(0),
      asOf: properties.date ?? new Date(),
    };
  } catch (error) {
    if (codeOf(error) === "BlobNotFound") return undefined;
    throw error;
  }
}

async function unlessThere(creation: Promise<{ etag?: string }>): Promise<string | undefined> {
  try {
    return (await creation).etag;
  } catch (error) {
    if (["BlobAlreadyExists", "ConditionNotMet", "LeaseIdMissing"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

function md5Of(bytes: Buffer): Buffer {
  return createHash("md5").update(bytes).digest();
}

/** Azure sends the range behind the header with its MD5: larger ones are not read to their end. */
async function readMd5(client: PageBlobClient, range: Range, abortSignal: AbortSignal): Promise<Buffer> {
  const count = range.end - range.start;
  const answer = await client.download(range.start, count, {
    abortSignal,
    rangeGetContentMD5: true,
    maxRetryRequests: 0,
  });
  const body = answer.readableStreamBody;
  if (body === undefined)
    throw new StorageProblem("the answer has no body", { code: "", status: 200, retryAfterMs: 0 });
  const hash = createHash("md5");
  let received = 0;
  if (answer.contentMD5?.length === 16 && count > KEPT_ANSWER) {
    body.on("error", () => {}); // cut by us
    (body as NodeJS.ReadableStream & { destroy(): void }).destroy();
    return Buffer.from(answer.contentMD5);
  }
  for await (const piece of body) {
    hash.update(piece as Buffer);
    received += piece.length;
  }
  if (received !== count) throw Object.assign(new Error("the answer is cut"), { code: "PARSE_ERROR" });
  return hash.digest();
}

/** An answer up to this size is read to its end, so that its connection can be used again. Bytes. */
const KEPT_ANSWER = 64 * 1024;
