import { randomUUID } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { RequestRecord } from "./request-log";

/** One request on its way through a service. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** The request's body: read this and not `request`, a fault may stand between. */
  body: Readable;
  /** Host name, lower case, without a port. */
  host: string;
  url: URL;
  record: RequestRecord;
}

/** Answers every request that reaches it. */
export type Service = (exchange: Exchange) => Promise<void>;

/** Which service answers for a host; undefined where nothing does. */
export type Router = (host: string, secure: boolean) => Service | undefined;

/** An answer in full: services compute it, `send` writes it. */
export interface Answer {
  status: number;
  /** Error code, for the log. */
  code?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** The whole body of a small request; over 1 MiB it throws. */
export async function readBody(exchange: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.body) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw new Error(`request body over ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Answer {
  const common = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
  return { status, headers: { ...common, ...headers }, body: JSON.stringify(value) };
}

export function xml(status: number, text: string, headers: OutgoingHttpHeaders = {}): Answer {
  return { status, headers: { "content-type": "application/xml; charset=utf-8", ...headers }, body: text };
}

export function send(exchange: Exchange, answer: Answer): void {
  exchange.record.status = answer.status;
  if (answer.code !== undefined) exchange.record.code = answer.code;
  const body = answer.body === undefined ? Buffer.alloc(0) : Buffer.from(answer.body);
  exchange.response.writeHead(answer.status, {
    "x-ms-request-id": randomUUID(),
    ...answer.headers,
    "content-length": body.length,
  });
  exchange.response.end(exchange.request.method === "HEAD" ? undefined : body);
}
