import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";

/** An answer, read whole. */
export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  /** The body as JSON; undefined where it is none. */
  json: unknown;
  /** A member of the JSON body by its path, e.g. `error.innererror.code` or `keys.0.kid`. */
  at(path: string): unknown;
}

export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** What a process learns from its environment. */
export interface Via {
  HTTPS_PROXY: string;
  SSL_CERT_FILE: string;
}

export function via(environment: Record<string, string>): Via {
  const { HTTPS_PROXY = "", SSL_CERT_FILE = "" } = environment;
  return { HTTPS_PROXY, SSL_CERT_FILE };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function readReply(response: http.IncomingMessage): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.once("error", reject);
    response.once("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const isJson = response.headers["content-type"]?.includes("json") === true && text !== "";
      const json: unknown = isJson ? JSON.parse(text) : undefined;
      const at = (path: string) => path.split(".").reduce(member, json);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json, at });
    });
  });
}

function roundTrip(request: http.ClientRequest, body: string | Buffer | undefined): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) => readReply(response).then(resolve, reject));
    request.end(body);
  });
}

/** A tunnel to host:443; rejects with the proxy's text where it makes none. */
export function openTunnel(environment: Via, authority: string): Promise<Socket> {
  const proxy = new URL(environment.HTTPS_PROXY);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: authority });
    request.once("connect", (response, socket, head) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      return reject(new Error(`CONNECT ${response.statusCode} ${head.toString("utf8").trim()}`));
    });
    request.once("error", reject);
    request.end();
  });
}

export async function openSecure(environment: Via, host: string): Promise<TLSSocket> {
  const socket = await openTunnel(environment, `${host}:443`);
  const ca = fs.readFileSync(environment.SSL_CERT_FILE);
  return new Promise((resolve, reject) => {
    const secured = connect({ socket, servername: host, ca }, () => resolve(secured));
    secured.once("error", reject);
  });
}

/** One request as a proxied client makes it: `CONNECT` for https, an absolute URL for http. */
export async function ask(environment: Via, url: string, what: Ask = {}): Promise<Reply> {
  const { method = "GET", headers = {}, body } = what;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const target = new URL(url);
  if (target.protocol === "http:") {
    const proxy = new URL(environment.HTTPS_PROXY);
    const options = { host: proxy.hostname, port: proxy.port, method, path: url, agent: false };
    return roundTrip(http.request({ ...options, headers: { host: target.host, ...headers, ...length } }), body);
  }
  const socket = await openSecure(environment, target.hostname);
  const createConnection = () => socket;
  const options = { createConnection, method, path: target.pathname + target.search };
  return roundTrip(https.request({ ...options, headers: { host: target.host, ...headers, ...length } }), body);
}
