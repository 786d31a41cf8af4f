import type { IncomingHttpHeaders } from "node:http";
import { pipeline } from "node:stream/promises";
import type { BlobProperties, BlobReader, Cloud, CloudResource } from "../cloud";
import { nameBefore } from "../cloud-names";
import type { TokenIssuer } from "../entra/tokens";
import { storageError } from "../gateway/error-answers";
import { type Answer, type Exchange, type Service, send } from "../gateway/exchange";
import { authorizeBlob, scopeOf } from "./blob-access";
import { type BlobBackend, CONTAINER_TYPE, drain } from "./blob-backend";
import { type BlobRequest, blobRequest } from "./blob-operations";
import { readCopySource } from "./put-page-from-url";

/** The account that a blob host is of. */
function accountAt(cloud: Cloud, host: string): CloudResource | undefined {
  return cloud.storageAccount(nameBefore(host.toLowerCase(), `blob.${cloud.names.storage}`) ?? "");
}

function answerHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _connection, "keep-alive": _keepAlive, ...kept } = headers;
  return kept;
}

/** Containers made or deleted by the data plane are resources as well. */
function recordContainer(cloud: Cloud, account: CloudResource, request: BlobRequest, status: number): void {
  if (request.container === undefined || status >= 300) return;
  const id = scopeOf(account, request.container);
  if (request.name === "Delete Container") cloud.remove(id);
  if (request.name === "Create Container") {
    cloud.put({ id, type: CONTAINER_TYPE, name: request.container, properties: { publicAccess: "None" } });
  }
}

/** What cannot be passed on, before anything is sent. */
function impossible(cloud: Cloud, account: CloudResource, request: BlobRequest): Answer | undefined {
  if (request.name === "Get User Delegation Key") {
    return storageError(
      501,
      "NotImplemented",
      "The loopback Azure has no user delegation keys: use the bearer token itself.",
    );
  }
  const isMissing = request.container !== undefined && cloud.get(scopeOf(account, request.container)) === undefined;
  if (!isMissing || request.name === "Create Container") return undefined;
  return storageError(404, "ContainerNotFound", "The specified container does not exist.");
}

/** The blob service of all storage accounts. Bodies stream in both directions. */
export function createStorageBlob(cloud: Cloud, tokens: TokenIssuer, backend: BlobBackend): Service {
  async function forward(exchange: Exchange, account: CloudResource, request: BlobRequest): Promise<void> {
    const { url, body, record, response } = exchange;
    const { method = "GET", headers } = exchange.request;
    const hasBody = method === "PUT" || method === "POST";
    const sent = { headers, ...(hasBody && { body }) };
    const copy = request.name === "Put Page From URL";
    const page = copy ? await readCopySource(cloud, tokens, backend, account, exchange) : sent;
    if ("status" in page) return refuse(exchange, page);
    const answer = await backend.request(account, { method, url, ...page });
    record.status = answer.statusCode ?? 502;
    const code = answer.headers["x-ms-error-code"];
    if (typeof code === "string") record.code = code;
    recordContainer(cloud, account, request, record.status);
    response.writeHead(record.status, answerHeaders(answer.headers));
    await pipeline(answer, response);
  }

  function refuse(exchange: Exchange, answer: Answer): void {
    exchange.request.resume();
    send(exchange, { ...answer, headers: { "x-ms-version": "2021-12-02", ...answer.headers } });
  }

  return async (exchange) => {
    const account = accountAt(cloud, exchange.host);
    if (account === undefined) throw new Error(`no storage account answers for ${exchange.host}`);
    const request = blobRequest(exchange.record.method, exchange.url, exchange.request.headers);
    if (request === undefined) {
      return refuse(
        exchange,
        storageError(405, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb."),
      );
    }
    exchange.record.operation = request.name;
    const access = await authorizeBlob(cloud, tokens, account, exchange, request);
    if (!access.ok) return refuse(exchange, access.answer);
    const wrong = impossible(cloud, account, request);
    return wrong ? refuse(exchange, wrong) : forward(exchange, account, request);
  };
}

function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith("x-ms-meta-"));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice("x-ms-meta-".length), String(value)]));
}

/** Reads blobs for the control plane: as an image is made of a blob, without a token. */
export function createBlobReader(cloud: Cloud, backend: BlobBackend): BlobReader {
  async function ask(blobUrl: string, method: string, headers: IncomingHttpHeaders, query = "") {
    const url = new URL(`${blobUrl}${query}`);
    const account = accountAt(cloud, url.hostname);
    const container = decodeURIComponent(url.pathname).split("/")[1];
    if (account === undefined || cloud.get(scopeOf(account, container)) === undefined) return undefined;
    return backend.request(account, { method, url, headers });
  }

  async function content(blobUrl: string, headers: IncomingHttpHeaders, query = ""): Promise<Buffer> {
    const answer = await ask(blobUrl, "GET", headers, query);
    if (answer === undefined) throw new Error(`no container for ${blobUrl}`);
    const bytes = await drain(answer);
    if (answer.statusCode !== 206 && answer.statusCode !== 200) {
      throw new Error(`cannot read ${blobUrl}: ${answer.statusCode} ${bytes.toString("utf8").slice(0, 300)}`);
    }
    return bytes;
  }

  return {
    async properties(blobUrl): Promise<BlobProperties | undefined> {
      const answer = await ask(blobUrl, "HEAD", {});
      if (answer === undefined) return undefined;
      await drain(answer);
      if (answer.statusCode !== 200) return undefined;
      const type = answer.headers["x-ms-blob-type"] as BlobProperties["type"];
      const isLeased = answer.headers["x-ms-lease-status"] === "locked";
      return { type, size: Number(answer.headers["content-length"]), metadata: metadataOf(answer.headers), isLeased };
    },
    read: (blobUrl, offset, count) => content(blobUrl, { range: `bytes=${offset}-${offset + count - 1}` }),
    async written(blobUrl) {
      const list = (await content(blobUrl, {}, "?comp=pagelist")).toString("utf8");
      const ranges = list.matchAll(/<PageRange><Start>(\d+)<\/Start><End>(\d+)<\/End><\/PageRange>/g);
      return [...ranges].map(([, start, end]) => ({ offset: Number(start), count: Number(end) + 1 - Number(start) }));
    },
  };
}
