import * as http from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import type { CertificateAuthority } from "./certificate-authority";
import { createRequestHandler, type RequestHandler, type RequestHandlerOptions, refusal } from "./request-handler";

export interface GatewayOptions extends RequestHandlerOptions {
  authority: CertificateAuthority;
  /** What becomes of a proxy's connections to hosts that no service answers for. @default they are refused */
  tunnel?: (socket: Duplex, host: string, port: number, head: Buffer) => Promise<void>;
}

/** Where a server listens: port 0 takes a free one. */
export interface Address {
  host: string;
  port: number;
}

/**
 * The one way in to the loopback Azure, for one client machine. Names stay the real ones: a client either uses it as its
 * forward proxy (`CONNECT`, or plain HTTP with an absolute URL), or has its packets brought here (`listenTls`,
 * `listenPlain`: a virtual machine network). Nothing is ever forwarded to a network, but by a `tunnel` that is given.
 */
export interface Gateway {
  listenProxy(address: Address): Promise<Address>;
  listenTls(address: Address): Promise<Address>;
  /** Plain HTTP for one host, whatever the request calls it: the metadata service, the wire server. */
  listenPlain(address: Address, host: string): Promise<Address>;
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 120_000;

/** Host and port of an authority `name:port`; IPv6 stays in brackets, none of Azure's names is one. */
function splitAuthority(authority: string, defaultPort: number): Address {
  const [host = "", port] = authority.split(":");
  return { host: host.toLowerCase(), port: port === undefined ? defaultPort : Number(port) };
}

function prepare(server: http.Server): http.Server {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 0; // an upload of gigabytes is one request
  return server;
}

/** A client that goes away half-way is no failure of ours: the request's own record says what became of it. */
function tolerateReset(stream: Duplex): void {
  stream.on("error", () => stream.destroy());
}

/** The HTTP side of all TLS connections: it listens nowhere, connections are handed to it with the host they are for. */
function createInnerServer(handler: RequestHandler) {
  const hosts = new WeakMap<object, string>();
  const server = prepare(http.createServer());
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    const asked = splitAuthority(request.headers.host ?? "", 443).host;
    const host = hosts.get(request.socket) ?? asked;
    if (host === asked) return handler.handle(request, response, host, true);
    const text = `this connection is for ${host}, not for ${asked}\n`;
    return response.writeHead(421, { "content-type": "text/plain" }).end(text);
  });
  return {
    accept(socket: tls.TLSSocket, host: string | undefined): void {
      tolerateReset(socket);
      if (host !== undefined) hosts.set(socket, host);
      server.emit("connection", socket);
    },
  };
}

type InnerServer = ReturnType<typeof createInnerServer>;

function refuseTunnel(handler: RequestHandler, socket: Duplex, target: Address): void {
  const text = refusal(`${target.host}:${target.port}`);
  handler.connectionFailed(target.host, text.trim(), 502);
  socket.end(`HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
}

function createProxyServer(handler: RequestHandler, inner: InnerServer, options: GatewayOptions): http.Server {
  const { authority, tunnel } = options;
  async function openTunnel(socket: Duplex, host: string, head: Buffer): Promise<void> {
    const secureContext = await authority.contextFor(host);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    const secured = new tls.TLSSocket(socket as Socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
    // Most often a client that does not trust the authority: without this line the log would show nothing.
    secured.once("_tlsError", (error: Error) => handler.connectionFailed(host, `TLS: ${error.message}`, 0));
    inner.accept(secured, host);
  }
  const server = prepare(http.createServer());
  server.on("connect", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    const target = splitAuthority(request.url ?? "", 443);
    const isOurs = target.port === 443 && handler.accepts(target.host);
    if (!isOurs && tunnel === undefined) return refuseTunnel(handler, socket, target);
    const opened = isOurs ? openTunnel(socket, target.host, head) : tunnel?.(socket, target.host, target.port, head);
    return opened?.catch((error: Error) => socket.destroy(error));
  });
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    const target = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined;
    if (target?.protocol === "http:") return handler.handle(request, response, target.hostname.toLowerCase(), false);
    const text = "this is a forward proxy: ask it for a whole http URL\n";
    return response.writeHead(400, { "content-type": "text/plain" }).end(text);
  });
  return server;
}

function createTlsServer(handler: RequestHandler, inner: InnerServer, authority: CertificateAuthority): tls.Server {
  const server = tls.createServer({
    ALPNProtocols: ["http/1.1"],
    SNICallback(name, done) {
      const host = name.toLowerCase();
      if (handler.accepts(host)) authority.contextFor(host).then((context) => done(null, context), done);
      else done(new Error(refusal(host).trim()));
    },
  });
  server.on("secureConnection", (socket) => inner.accept(socket, undefined));
  server.on("tlsClientError", (error, socket) => {
    handler.connectionFailed(socket.servername || "?", `TLS: ${error.message}`, 0);
  });
  return server;
}

async function bind(server: Server, address: Address): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
}

export function createGateway(options: GatewayOptions): Gateway {
  const handler = createRequestHandler(options);
  const inner = createInnerServer(handler);
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();

  function listen(server: Server, address: Address): Promise<Address> {
    servers.add(server);
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      tolerateReset(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    return bind(server, address);
  }

  return {
    listenProxy: (address) => listen(createProxyServer(handler, inner, options), address),
    listenTls: (address) => listen(createTlsServer(handler, inner, options.authority), address),
    listenPlain(address, host) {
      const server = http.createServer((request, response) => handler.handle(request, response, host, false));
      return listen(prepare(server), address);
    },
    async close() {
      const closed = [...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}
