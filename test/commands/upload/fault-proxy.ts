import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What happens to a request on its way to the store. */
export type Fault =
  | { readonly kind: "answer"; readonly status: number; readonly code: string; readonly retryAfter?: number }
  /** The connection ends before the store sees the request. */
  | { readonly kind: "drop" }
  /** The connection ends in the middle of the request's body. */
  | { readonly kind: "cutRequest"; readonly afterBytes: number }
  /** The store does it, and the connection ends before, or in the middle of, its answer. */
  | { readonly kind: "loseAnswer" }
  | { readonly kind: "cutAnswer" }
  | { readonly kind: "delay"; readonly ms: number }
  /** No answer, ever. */
  | { readonly kind: "hang" };

export interface ProxiedRequest {
  /** Counts from 1. */
  readonly number: number;
  readonly method: string;
  /** `page`, `lease`, `metadata`, `pagelist` or empty. */
  readonly comp: string;
  readonly range: string;
  readonly headers: http.IncomingHttpHeaders;
}

export interface FaultProxy {
  readonly port: number;
  /** All requests so far. */
  readonly requests: readonly ProxiedRequest[];
  /** Decides for each request. */
  setFault(fault: (request: ProxiedRequest) => Fault | undefined): void;
  close(): Promise<void>;
}

/** A plain HTTP proxy in front of a blob store on loopback. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  let decide: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const requests: ProxiedRequest[] = [];
  const server = http.createServer((incoming, answer) => {
    incoming.on("error", () => {}); // its sender was killed, or cut by a fault
    answer.on("error", () => {});
    const request = describe(incoming, requests.length + 1);
    requests.push(request);
    void pass(incoming, answer, decide(request), targetPort);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    setFault: (fault) => {
      decide = fault;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function describe({ headers, method = "", url = "" }: http.IncomingMessage, number: number): ProxiedRequest {
  const comp = new URL(url, "http://localhost").searchParams.get("comp") ?? "";
  return { number, method, comp, range: `${headers["x-ms-range"] ?? headers.range ?? ""}`, headers };
}

async function pass(
  incoming: http.IncomingMessage,
  answer: http.ServerResponse,
  fault: Fault | undefined,
  port: number,
): Promise<void> {
  if (fault?.kind === "drop") return void incoming.socket.destroy();
  if (fault?.kind === "hang") return void incoming.resume();
  if (fault?.kind === "answer") return refuse(incoming, answer, fault);
  if (fault?.kind === "delay") await delay(fault.ms);
  const { headers, method = "GET", url = "/" } = incoming;
  const outgoing = http.request({ host: "127.0.0.1", port, method, path: url, headers });
  outgoing.on("error", () => incoming.socket.destroy());
  outgoing.on("response", (response) => sendBack(response, answer, incoming, fault));
  let seen = 0;
  incoming.on("data", (piece: Buffer) => {
    seen += piece.length;
    if (fault?.kind === "cutRequest" && seen > fault.afterBytes) {
      outgoing.destroy();
      incoming.socket.destroy();
    } else if (!outgoing.write(piece)) {
      incoming.pause();
      outgoing.once("drain", () => incoming.resume());
    }
  });
  incoming.on("end", () => outgoing.end());
  incoming.on("close", () => {
    if (!incoming.complete) outgoing.destroy();
  });
}

function refuse(incoming: http.IncomingMessage, answer: http.ServerResponse, fault: Fault & { kind: "answer" }): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${fault.code}</Code><Message>injected</Message></Error>`;
  const retry: http.OutgoingHttpHeaders =
    fault.retryAfter === undefined ? {} : { "retry-after": `${fault.retryAfter}` };
  incoming.resume();
  incoming.on("end", () => {
    answer.writeHead(fault.status, { "content-type": "application/xml", "x-ms-error-code": fault.code, ...retry });
    answer.end(incoming.method === "HEAD" ? undefined : body);
  });
}

function sendBack(
  response: http.IncomingMessage,
  answer: http.ServerResponse,
  incoming: http.IncomingMessage,
  fault: Fault | undefined,
): void {
  response.on("error", () => incoming.socket.destroy());
  if (fault?.kind === "loseAnswer") {
    response.resume();
    return void response.on("end", () => incoming.socket.destroy());
  }
  answer.writeHead(response.statusCode ?? 502, response.headers);
  if (fault?.kind === "cutAnswer") {
    const cut = (): void => void incoming.socket.destroy();
    answer.flushHeaders();
    response.on("data", (piece: Buffer) => answer.write(piece.subarray(0, 20), cut));
    return void response.on("end", cut);
  }
  response.pipe(answer);
}
