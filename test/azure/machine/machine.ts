import type { Cloud } from "../cloud";
import type { TokenIssuer } from "../entra/tokens";
import type { CertificateAuthority } from "../gateway/certificate-authority";
import type { Router } from "../gateway/exchange";
import type { FaultInjector } from "../gateway/faults";
import { type Address, createGateway, type Gateway } from "../gateway/gateway";
import type { RequestRecorder } from "../gateway/request-log";
import { createImds, IMDS_HOST } from "./imds";
import { machineFacts } from "./machine-facts";
import { createWireServer, type Provisioning, WIRE_SERVER_HOST } from "./wire-server";

export interface MachineOptions {
  /** Where its proxy listens. */
  listen: Address;
  provisioningTimeoutMs: number;
}

/** A started virtual machine, as far as Azure is concerned: whatever runs with `env` is inside it. */
export interface Machine {
  vmId: string;
  /** For processes of the machine. Which identity they use (`AZURE_CLIENT_ID`) is the machine's own affair. */
  env: Record<string, string>;
  proxyUrl: string;
  gateway: Gateway;
  /** What Azure thinks of its start. */
  provisioning(): Provisioning;
  /** Switches it off. */
  close(): Promise<void>;
}

export interface MachineParts {
  authority: CertificateAuthority;
  faults: FaultInjector;
  log: RequestRecorder;
  cloud: Cloud;
  tokens: TokenIssuer;
  /** What every machine reaches. */
  router: Router;
}

/** Both spellings: curl reads only the lower-case one for plain HTTP. */
export function proxyEnvironment(proxyUrl: string, certificateFile: string): Record<string, string> {
  return {
    HTTPS_PROXY: proxyUrl,
    HTTP_PROXY: proxyUrl,
    NO_PROXY: "",
    https_proxy: proxyUrl,
    http_proxy: proxyUrl,
    no_proxy: "",
    SSL_CERT_FILE: certificateFile,
    CURL_CA_BUNDLE: certificateFile,
    NODE_EXTRA_CA_CERTS: certificateFile,
  };
}

export async function bootMachine(vmId: string, parts: MachineParts, options: MachineOptions): Promise<Machine> {
  const { cloud, tokens, authority } = parts;
  const id = machineFacts(cloud, vmId).resource.id;
  const imds = createImds(cloud, tokens, id);
  const wireServer = createWireServer({
    machineId: id,
    now: cloud.now,
    provisioningTimeoutMs: options.provisioningTimeoutMs,
  });
  const router: Router = (host, secure) => {
    if (!secure && host === IMDS_HOST) return imds;
    if (!secure && host === WIRE_SERVER_HOST) return wireServer.service;
    return parts.router(host, secure);
  };
  const gateway = createGateway({ via: id, router, authority, faults: parts.faults, log: parts.log });
  const address = await gateway.listenProxy(options.listen);
  const proxyUrl = `http://${address.host}:${address.port}`;
  return {
    vmId: id,
    env: {
      ...proxyEnvironment(proxyUrl, authority.certificateFile),
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
    },
    proxyUrl,
    gateway,
    provisioning: () => wireServer.provisioning(),
    close: () => gateway.close(),
  };
}
