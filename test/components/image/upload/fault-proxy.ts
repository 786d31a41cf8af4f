import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { loadCrc64 } from "../../../../components/image/disk/crc64";

/** What happens to a request on its way to the store. */
export type Fault =
  | { readonly kind: "answer"; readonly status: number; readonly code: string; readonly retryAfter?: number }
  /** The connection ends before the store sees the request. */
  | { readonly kind: "drop" }
  /** The connection ends in the middle of the request's body. */
  | { readonly kind: "cutRequest"; readonly afterBytes: number }
  /** The store does it, and the connection ends before, or in the middle of, its answer. */
  | { readonly kind: "loseAnswer"; readonly onDone?: () => void }
  | { readonly kind: "cutAnswer" }
  | { readonly kind: "delay"; readonly ms: number }
  /** It is passed on when something else has happened. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  /** One byte of the request's body is another one when it arrives. */
  | { readonly kind: "flip"; readonly byte: number }
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

/**
 * A plain HTTP proxy in front of a blob store on loopback. It checks the CRC-64 of what is written, as Azure does and
 * Azurite does not.
 */
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
  if (fault?.kind === "hold") await fault.until;
  const isChecked = incoming.headers["x-ms-content-crc64"] !== undefined && fault?.kind !== "cutRequest";
  if (isChecked) await passChecked(incoming, answer, fault, port);
  else passStream(incoming, answer, fault, port);
}

function forward(
  incoming: http.IncomingMessage,
  answer: http.ServerResponse,
  fault: Fault | undefined,
  port: number,
): http.ClientRequest {
  const { headers, method = "GET", url = "/" } = incoming;
  const outgoing = http.request({ host: "127.0.0.1", port, method, path: url, headers });
  outgoing.on("error", () => incoming.socket.destroy());
  outgoing.on("response", (response) => sendBack(response, answer, incoming, fault));
  return outgoing;
}

function passStream(
  incoming: http.IncomingMessage,
  answer: http.ServerResponse,
  fault: Fault | undefined,
  port: number,
): void {
  const outgoing = forward(incoming, answer, fault, port);
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

const loading = loadCrc64();

/** Reads all of a body, and passes it on if it has the checksum that its header says. */
async function passChecked(
  incoming: http.IncomingMessage,
  answer: http.ServerResponse,
  fault: Fault | undefined,
  port: number,
): Promise<void> {
  const crc64 = await loading;
  const pieces: Buffer[] = [];
  incoming.on("data", (piece: Buffer) => pieces.push(piece));
  incoming.on("end", () => {
    const body = Buffer.concat(pieces);
    if (fault?.kind === "flip") body.writeUInt8(body.readUInt8(fault.byte) ^ 1, fault.byte);
    const isWhole = crc64(body).toString("base64") === incoming.headers["x-ms-content-crc64"];
    if (isWhole) forward(incoming, answer, fault, port).end(body);
    else sendRefusal(incoming, answer, { kind: "answer", status: 400, code: "Crc64Mismatch" });
  });
}

function refuse(incoming: http.IncomingMessage, answer: http.ServerResponse, fault: Fault & { kind: "answer" }): void {
  incoming.resume();
  incoming.on("end", () => sendRefusal(incoming, answer, fault));
}

function sendRefusal(
  { method }: http.IncomingMessage,
  answer: http.ServerResponse,
  { code, retryAfter, status }: Fault & { kind: "answer" },
): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>injected</Message></Error>`;
  const retry: http.OutgoingHttpHeaders = retryAfter === undefined ? {} : { "retry-after": `${retryAfter}` };
  answer.writeHead(status, { "content-type": "application/xml", "x-ms-error-code": code, ...retry });
  answer.end(method === "HEAD" ? undefined : body);
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
    return void response.on("end", () => {
      fault.onDone?.();
      incoming.socket.destroy();
    });
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
