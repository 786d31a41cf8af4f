import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Cloud, CloudResource } from "../cloud";
import { checkAuthorization } from "../entra/bearer";
import type { TokenIssuer } from "../entra/tokens";
import { storageError } from "../gateway/error-answers";
import type { Answer, Exchange } from "../gateway/exchange";
import { isAllowed } from "../resource-manager/authorization";
import { scopeOf } from "./blob-access";
import { type BlobBackend, drain } from "./blob-backend";
import { READ } from "./blob-operations";

/** The largest range of one request, in bytes. */
const LARGEST = 4 * 1024 * 1024;

/** A Put Page as Azurite understands it. */
export interface PutPage {
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

function invalid(header: string): Answer {
  const text = "The value for one of the HTTP headers is not in the correct format.";
  return storageError(400, "InvalidHeaderValue", `${text}\nHeaderName: ${header}`);
}

function unverified(status: number, reason: string): Answer {
  return storageError(status, "CannotVerifyCopySource", reason);
}

function rangeOf(header: unknown): { start: number; bytes: number } | undefined {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(String(header)) ?? [];
  const bytes = Number(end) - Number(start) + 1;
  return start === undefined || bytes <= 0 || Number(start) % 512 !== 0 || bytes % 512 !== 0
    ? undefined
    : { start: Number(start), bytes };
}

interface Source {
  readonly url: URL;
  readonly start: number;
  readonly bytes: number;
}

/** Where the content is to come from, if the request has the form that it must have. */
function sourceOf({ host, request: { headers } }: Pick<Exchange, "host" | "request">): Source | Answer {
  const [from, to] = [rangeOf(headers["x-ms-source-range"]), rangeOf(headers["x-ms-range"] ?? headers.range)];
  const source = String(headers["x-ms-copy-source"]);
  if (!URL.canParse(source)) return invalid("x-ms-copy-source");
  if (from === undefined) return invalid("x-ms-source-range");
  if (to?.bytes !== from.bytes) return invalid("x-ms-range");
  if (Number(headers["content-length"] ?? 0) !== 0) return invalid("Content-Length");
  if (from.bytes > LARGEST) return storageError(413, "RequestBodyTooLarge", "The range exceeds the limit of 4 MiB.");
  const url = new URL(source);
  if (url.host.toLowerCase() === host) return { url, ...from };
  return storageError(501, "NotImplemented", "The loopback Azure copies within one account only.");
}

/**
 * Does the half of Put Page From URL that Azurite lacks: reads the source's range, in the same account, as the principal
 * of `x-ms-copy-source-authorization`. What is left is an ordinary Put Page. Not emulated: sources elsewhere, public or
 * by a SAS, and conditions and CRC-64 of the source.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/put-page-from-url
 */
export async function readCopySource(
  cloud: Cloud,
  tokens: TokenIssuer,
  backend: BlobBackend,
  account: CloudResource,
  exchange: Pick<Exchange, "host" | "request">,
): Promise<PutPage | Answer> {
  const source = sourceOf(exchange);
  if ("status" in source) return source;
  const { headers } = exchange.request;
  const authorization = String(headers["x-ms-copy-source-authorization"] ?? "");
  const audiences = ["https://storage.azure.com", `https://${exchange.host}`];
  const check = await checkAuthorization(authorization, tokens, audiences, cloud.tenantId);
  if (!check.ok) return unverified(401, "Server failed to authenticate the request to the copy source.");
  const scope = scopeOf(account, decodeURIComponent(source.url.pathname).split("/")[1]);
  if (!isAllowed(cloud, check.caller.principals, scope, READ))
    return unverified(403, "This request is not authorized to read the copy source.");
  const range = `bytes=${source.start}-${source.start + source.bytes - 1}`;
  const found = await backend.request(account, { method: "GET", url: source.url, headers: { range } });
  const bytes = await drain(found);
  if (found.statusCode !== 206) return unverified(found.statusCode ?? 502, "The copy source could not be read.");
  if (bytes.length !== source.bytes) return storageError(416, "InvalidRange", "The range is invalid for the source.");
  const md5 = headers["x-ms-source-content-md5"];
  if (md5 !== undefined && md5 !== createHash("md5").update(bytes).digest("base64"))
    return storageError(400, "Md5Mismatch", "The MD5 value specified in the request did not match the source's.");
  return putPage(headers, bytes);
}

function putPage(headers: IncomingHttpHeaders, bytes: Buffer): PutPage {
  const kept = Object.entries(headers).filter(([name]) => !/^x-ms-(copy-source|source-)/.test(name));
  return {
    headers: { ...Object.fromEntries(kept), "content-length": `${bytes.length}` },
    body: Readable.from([bytes]),
  };
}
