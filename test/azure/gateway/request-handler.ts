import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Exchange, type Router, send } from "./exchange";
import type { FaultInjector } from "./faults";
import type { RequestRecord, RequestRecorder } from "./request-log";

export interface RequestHandlerOptions {
  /** `workstation` or the machine's resource id: what the log says and faults select by. */
  via: string;
  router: Router;
  faults: FaultInjector;
  log: RequestRecorder;
}

/** What every request goes through, whichever way it came: log, faults, the service of its host. */
export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse, host: string, secure: boolean): void;
  /** Whether connections to this host are made at all. */
  accepts(host: string): boolean;
  /** Logs a connection that never became a request. */
  connectionFailed(host: string, failure: string, status: number): void;
}

export function refusal(host: string): string {
  return `no service of the loopback Azure answers for ${host}; nothing was sent to a network\n`;
}

function requestSize(request: IncomingMessage): { requestBytes?: number } {
  const announced = request.headers["content-length"];
  return announced === undefined ? {} : { requestBytes: Number(announced) };
}

export function createRequestHandler(options: RequestHandlerOptions): RequestHandler {
  const { via, router, faults, log } = options;

  function begin(method: string, host: string, path: string): RequestRecord {
    return log.begin({ at: Date.now(), via, method, host, path, status: 0 });
  }

  async function serve(exchange: Exchange, secure: boolean): Promise<void> {
    const { host, record } = exchange;
    const service = router(host, secure);
    if (service === undefined || (!secure && faults.refuses(host, via))) {
      return send(exchange, { status: 502, body: refusal(host), headers: { "content-type": "text/plain" } });
    }
    if (await faults.apply(exchange)) await service(exchange);
    record.status ||= exchange.response.headersSent ? exchange.response.statusCode : 0;
  }

  function fail(exchange: Exchange, error: Error): void {
    const { record, request, response } = exchange;
    record.failure ??= error.message;
    // Node takes the socket away from a request whose body did not come whole.
    const isGone = (request.socket as Socket | null)?.destroyed !== false;
    if (response.headersSent || isGone) response.destroy();
    else send(exchange, { status: 500, code: "InternalError", body: `${error.message}\n` });
  }

  return {
    accepts: (host) => router(host, true) !== undefined && !faults.refuses(host, via),
    connectionFailed(host, failure, status) {
      const record = begin("CONNECT", host, "");
      log.end(Object.assign(record, { failure, status }));
    },
    handle(request, response, host, secure) {
      const url = new URL(request.url ?? "/", `${secure ? "https" : "http"}://${host}`);
      const record = Object.assign(begin(request.method ?? "GET", host, url.pathname), requestSize(request));
      const exchange: Exchange = { request, response, body: request, host, url, record };
      response.on("error", (error) => {
        record.failure ??= error.message;
      });
      response.once("close", () => log.end(record));
      serve(exchange, secure).catch((error: Error) => fail(exchange, error));
    },
  };
}
