import * as http from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Cloud, CloudResource } from "../cloud";
import { normalizeId } from "../cloud";
import { type AzuriteProcess, startAzurite } from "./azurite-process";
import { stringToSign } from "./shared-key";

/** A request to Azurite in the words of the real service. */
export interface BackendRequest {
  method: string;
  /** Full URL with the account's real host name. */
  url: URL;
  headers: http.IncomingHttpHeaders;
  body?: Readable;
}

/** The storage accounts' data: one Azurite process an account, started when it is first needed. */
export interface BlobBackend {
  /** Sends a request, signed with the account's key; the answer is still to be read. */
  request(account: CloudResource, request: BackendRequest): Promise<http.IncomingMessage>;
  /** Where the blobs lie, by account name. */
  directories(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const ACCOUNT_TYPE = "Microsoft.Storage/storageAccounts";
export const CONTAINER_TYPE = "Microsoft.Storage/storageAccounts/blobServices/containers";
const API_VERSION = "2021-12-02";

/** What concerns one connection only, and the caller's own authorization. */
const NOT_FORWARDED = ["authorization", "connection", "expect", "keep-alive", "proxy-authorization", "te", "upgrade"];

function forwarded(headers: http.IncomingHttpHeaders, host: string): http.IncomingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => !NOT_FORWARDED.includes(name));
  return { "x-ms-version": API_VERSION, ...Object.fromEntries(kept), host };
}

function whenAnswered(outgoing: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
}

/** Reads an answer to its end. */
export async function drain(answer: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function isType(resource: CloudResource, type: string): boolean {
  return resource.type.toLowerCase() === type.toLowerCase();
}

/** @param directory where the accounts' data folders are made */
export function createBlobBackend(cloud: Cloud, directory: string): BlobBackend {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const processes = new Map<string, { name: string; process: Promise<AzuriteProcess> }>();
  /** Containers that Azurite has; those that it has to forget first are in `stale`. */
  const known = new Map<string, Promise<void>>();
  const stale = new Set<string>();

  const endings: Promise<void>[] = [];

  /** One that never started needs no end: the request that waited for it has the reason. */
  function end(process: Promise<AzuriteProcess>): Promise<void> {
    return process.then(
      (azurite) => azurite.close(),
      () => undefined,
    );
  }

  function processOf(account: CloudResource): Promise<AzuriteProcess> {
    const id = normalizeId(account.id);
    const entry = processes.get(id) ?? { name: account.name, process: startAzurite(account.name, directory) };
    processes.set(id, entry);
    return entry.process;
  }

  async function transmit(account: CloudResource, request: BackendRequest): Promise<http.IncomingMessage> {
    const azurite = await processOf(account);
    const { method, url, body } = request;
    const headers = forwarded(request.headers, url.host);
    const signature = azurite.sign(stringToSign(method, account.name, url, headers));
    const outgoing = http.request({
      // A body cannot be sent twice: it does not go to a connection that Azurite is about to close, as it is idle.
      agent: body === undefined ? agent : false,
      host: "127.0.0.1",
      port: azurite.port,
      method,
      path: url.pathname + url.search,
      headers: { ...headers, authorization: `SharedKey ${account.name}:${signature}` },
    });
    const answered = whenAnswered(outgoing);
    if (body !== undefined) {
      await Promise.all([answered, pipeline(body, outgoing)]);
      return answered;
    }
    outgoing.end();
    return answered.catch((error: NodeJS.ErrnoException) => {
      // Azurite closed the idle connection just as it was used again: it has not seen the request.
      if (outgoing.reusedSocket && error.code === "ECONNRESET") return transmit(account, request);
      throw error;
    });
  }

  /** @param done statuses besides success that mean that all is as it should be */
  async function administer(account: CloudResource, container: string, method: string, done: number): Promise<void> {
    const url = new URL(`https://${account.name}.blob.${cloud.names.storage}/${container}?restype=container`);
    const answer = await transmit(account, { method, url, headers: { "content-length": "0" } });
    const text = (await drain(answer)).toString("utf8");
    const { statusCode = 0 } = answer;
    if (statusCode >= 300 && statusCode !== done)
      throw new Error(`azurite: ${method} ${url.pathname}: ${statusCode} ${text}`);
  }

  /** Containers are made by the control plane too: Azurite learns of one when it is first used. */
  function ensureContainer(account: CloudResource, container: CloudResource): Promise<void> {
    const id = normalizeId(container.id);
    const make = async () => {
      if (stale.delete(id)) await administer(account, container.name, "DELETE", 404);
      await administer(account, container.name, "PUT", 409);
    };
    const made = known.get(id) ?? make();
    known.set(id, made);
    return made;
  }

  function forget(resource: CloudResource): void {
    const id = normalizeId(resource.id);
    if (isType(resource, CONTAINER_TYPE) && known.delete(id)) stale.add(id);
    if (!isType(resource, ACCOUNT_TYPE)) return;
    const entry = processes.get(id);
    processes.delete(id);
    for (const one of [...known.keys(), ...stale]) {
      if (one.startsWith(`${id}/`)) known.delete(one) || stale.delete(one);
    }
    if (entry) endings.push(end(entry.process));
  }

  const unsubscribe = cloud.onChange((change) => {
    if (change.kind === "removed") forget(change.resource);
  });

  return {
    async request(account, request) {
      const name = decodeURIComponent(request.url.pathname).split("/")[1];
      const containers = cloud.list({ type: CONTAINER_TYPE, under: account.id });
      const wanted = name ? containers.filter((container) => container.name === name) : containers;
      await Promise.all(wanted.map((container) => ensureContainer(account, container)));
      return transmit(account, request);
    },
    async directories() {
      const running = await Promise.all(
        [...processes.values()].map(async ({ name, process }) => [name, (await process).directory]),
      );
      return Object.fromEntries(running);
    },
    async close() {
      unsubscribe();
      agent.destroy();
      await Promise.all([...endings, ...[...processes.values()].map(({ process }) => end(process))]);
    },
  };
}
