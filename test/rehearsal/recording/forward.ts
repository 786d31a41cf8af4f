import * as fs from "node:fs";
import type { IncomingMessage } from "node:http";
import * as https from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import * as tls from "node:tls";
import { openTunnel } from "loopback-azure/client";
import type { Exchange, Service } from "loopback-azure/gateway/exchange";

/** The way to Azure. */
export interface Upstream {
  /** `http://HOST:PORT` of a proxy in between. @default none */
  readonly proxy?: string | undefined;
  /** PEM of authorities that are believed besides Node's own. @default none */
  readonly ca?: readonly string[];
}

/** The way to Azure that this process's environment names. */
export function upstreamOf(environment: NodeJS.ProcessEnv): Upstream {
  const { HTTPS_PROXY, https_proxy, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = environment;
  const files = [SSL_CERT_FILE, NODE_EXTRA_CA_CERTS].flatMap((file) => file || []);
  return { proxy: HTTPS_PROXY || https_proxy || undefined, ca: files.map((file) => fs.readFileSync(file, "utf8")) };
}

/** What was asked and answered, bodies as far as they are kept. */
export interface Seen {
  readonly at: number;
  readonly exchange: Exchange;
  readonly request: Body;
  readonly answer: Body & { readonly status: number; readonly headers: NodeJS.Dict<string | string[]> };
}

export interface Body {
  readonly bytes: number;
  /** Its begin: texts of an answer are shorter, disks are not wanted. */
  readonly head: Buffer;
}

const KEPT_BYTES = 1024 * 1024;

/** A connection to a host's port, through the proxy where there is one. */
export function openTo({ proxy }: Upstream, host: string, port: number): Promise<Socket> {
  if (proxy !== undefined) return openTunnel({ HTTPS_PROXY: proxy, SSL_CERT_FILE: "" }, `${host}:${port}`);
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Hands a connection on as it is: who is at its ends is not for us to know. */
export async function tunnel(upstream: Upstream, client: Duplex, host: string, port: number, head: Buffer) {
  const server = await openTo(upstream, host, port);
  const end = () => void [client.destroy(), server.destroy()];
  for (const socket of [client, server]) socket.on("error", end).once("close", end);
  client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  if (head.length > 0) server.write(head);
  client.pipe(server).pipe(client);
}

/** A service that asks the host itself, and shows what went through. */
export function createForward(upstream: Upstream, onSeen: (seen: Seen) => void): { service: Service; close(): void } {
  const agent = new https.Agent({ keepAlive: true, ca: [...tls.rootCertificates, ...(upstream.ca ?? [])] });
  if (upstream.proxy !== undefined) goThrough(agent, upstream);
  const service: Service = async (exchange) => {
    const { request, response, url, host } = exchange;
    const asked = keep(exchange.body);
    const { method } = request;
    const options = { agent, host, method, path: url.pathname + url.search, headers: request.headers };
    const outgoing = https.request(options);
    exchange.body.pipe(outgoing);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve).on("error", reject);
      response.once("close", () => outgoing.destroy());
    });
    const answered = keep(answer);
    exchange.record.status = answer.statusCode ?? 0;
    response.writeHead(exchange.record.status, answer.rawHeaders);
    answer.pipe(response);
    await new Promise((resolve, reject) => answer.once("end", resolve).once("error", reject));
    const { headers } = answer;
    onSeen({
      at: Date.now(),
      exchange,
      request: asked(),
      answer: { ...answered(), status: exchange.record.status, headers },
    });
  };
  return { service, close: () => agent.destroy() };
}

/** Node's agents know no proxy before version 24. */
function goThrough(agent: https.Agent, upstream: Upstream): void {
  const through = (options: { host: string }, done: (error: Error | null, socket?: Socket) => void) => {
    openTo(upstream, options.host, 443).then(
      (socket) => done(null, tls.connect({ ...options, socket, servername: options.host })),
      (error: Error) => done(error),
    );
  };
  Object.assign(agent, { createConnection: through });
}

/** Listens to what goes through. @returns what it was, once it has ended */
function keep(stream: Readable): () => Body {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    if (bytes < KEPT_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => ({ bytes, head: Buffer.concat(chunks) });
}
