import * as fs from "node:fs";
import * as path from "node:path";
import * as tls from "node:tls";
import { createCertificateAuthority } from "loopback-azure/gateway/certificate-authority";
import { createFaults } from "loopback-azure/gateway/faults";
import { createGateway } from "loopback-azure/gateway/gateway";
import { createRequestLog } from "loopback-azure/gateway/request-log";
import type { askAzure } from "../../../components/azure/azure-request";
import type { Engine } from "../engine/engine";
import type { Asker, Entry } from "./entries";
import { createForward, tunnel, type Upstream } from "./forward";
import { httpEntry } from "./http-entry";
import { Redaction } from "./redaction";
import { createResourceReader } from "./resource-entries";

/**
 * Hosts of Azure's data planes: what goes to others is handed on unopened, logins among it. A vault is asked by Go programs,
 * which believe the run's own authority (SSL_CERT_FILE) on Unix alone, macOS not among it:
 * https://pkg.go.dev/crypto/x509#SystemCertPool
 */
export function isOpened(host: string, platform: NodeJS.Platform = process.platform): boolean {
  const isOfGo = host.endsWith(".vault.azure.net");
  return host.endsWith(".blob.core.windows.net") || (isOfGo && platform !== "darwin" && platform !== "win32");
}

export interface RecorderOptions {
  /** The recording; its folder is made. */
  file: string;
  /** A folder of the caller's for the authority's certificate. */
  folder: string;
  asker: Asker;
  upstream: Upstream;
}

/** Where a run's requests go through, and what it keeps of them. */
export interface Recorder {
  /** For child processes: what sops, our programs and Pulumi are told of the way to Azure. */
  readonly environment: Record<string, string>;
  /** The same engine, whose updates are recorded. */
  engine<E extends Engine>(engine: E): E;
  /** The same function, whose requests are recorded. */
  asking(ask: typeof askAzure): typeof askAzure;
  close(): Promise<void>;
}

/**
 * Keeps what a run asks of Azure and what it answers, redacted before it is written, in a file of JSON lines.
 *
 * Recorded at three places, each where the stand-in for Azure stands: resources in the terms of Pulumi's provider, out of
 * the engine's state after each update (the provider is a released Go program whose own requests the stand-in does not know);
 * vaults and blobs as HTTP, by a proxy that every client here honours (sops, our upload, the Go provider), with the
 * stand-in's own gateway and throw-away authority; and Resource Manager where this process asks it, at the function that
 * asks. Connections to all other hosts, the login's above all, pass as they are: no token is ever seen but in a header,
 * and headers are kept by name. An Authorization header is none of them.
 */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { file, folder, upstream } = options;
  const redaction = new Redaction();
  const { subscriptionId, tenantId, objectId } = options.asker;
  const asker = redaction.json({ subscriptionId, tenantId, objectId }) as unknown as Asker;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "");
  const write = (entry: Entry) => fs.appendFileSync(file, `${JSON.stringify(entry)}\n`);
  write({ kind: "about", ...asker });
  const forward = createForward(upstream, ({ at, exchange, request, answer }) => {
    const { method = "GET", headers } = exchange.request;
    write(httpEntry({ at, method, url: exchange.url.href, headers, request, answer }, redaction));
  });
  const authority = await createCertificateAuthority(folder);
  const gateway = createGateway({
    authority,
    via: "recorder",
    faults: createFaults(),
    log: createRequestLog(),
    router: (host, secure) => (secure && isOpened(host) ? forward.service : undefined),
    tunnel: (socket, host, port, head) => tunnel(upstream, socket, host, port, head),
  });
  const { host, port } = await gateway.listenProxy({ host: "127.0.0.1", port: 0 });
  const bundle = path.join(folder, "authorities.pem");
  const known = [...tls.rootCertificates, ...(upstream.ca ?? []), authority.certificatePem];
  fs.writeFileSync(bundle, `${known.join("\n")}\n`);
  const readResources = createResourceReader(redaction);

  async function up(engine: Engine): ReturnType<Engine["up"]> {
    try {
      return await engine.up();
    } finally {
      for (const entry of readResources(await engine.exportState())) write(entry);
    }
  }

  return {
    environment: {
      HTTPS_PROXY: `http://${host}:${port}`,
      https_proxy: `http://${host}:${port}`,
      SSL_CERT_FILE: bundle,
      NODE_EXTRA_CA_CERTS: bundle,
    },
    engine: (engine) => ({ ...engine, up: () => up(engine) }),
    asking: (ask) => async (url, request) => {
      const answer = await ask(url, request);
      const at = Date.now();
      const { method = "GET", headers } = request;
      const [asked, told] = [Buffer.alloc(0), Buffer.from(answer.text)];
      const names = ["content-type", "www-authenticate", "x-ms-error-code"];
      const answerHeaders = Object.fromEntries(names.map((name) => [name, answer.header(name)]));
      const seen = { status: answer.status, headers: answerHeaders, bytes: told.length, head: told };
      write(httpEntry({ at, method, url, headers, request: { bytes: 0, head: asked }, answer: seen }, redaction));
      return answer;
    },
    async close() {
      await gateway.close();
      forward.close();
    },
  };
}
