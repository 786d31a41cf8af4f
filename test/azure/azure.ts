import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Application, type Cloud, type CloudOptions, createCloud, type Principal } from "./cloud";
import { nameBefore } from "./cloud-names";
import { createEntra } from "./entra/entra";
import { createExternalIssuer, type ExternalIssuer, type ExternalIssuerService } from "./entra/external-issuer";
import { createTokenIssuer, type TokenIssuer } from "./entra/tokens";
import {
  type AuthorityPair,
  type CertificateAuthority,
  createCertificateAuthority,
} from "./gateway/certificate-authority";
import type { Router, Service } from "./gateway/exchange";
import { createFaults, type Faults } from "./gateway/faults";
import { type Address, createGateway, type Gateway } from "./gateway/gateway";
import { createRequestLog, type RequestLog } from "./gateway/request-log";
import { createKeyVault } from "./key-vault/key-vault";
import { bootMachine, type Machine, type MachineOptions, proxyEnvironment } from "./machine/machine";
import { type Consoles, createConsoles } from "./resource-manager/machine-state";
import { createResourceManager } from "./resource-manager/resource-manager";
import { type BlobBackend, createBlobBackend } from "./storage/blob-backend";
import { createBlobReader, createStorageBlob } from "./storage/storage-blob";

export interface AzureOptions extends CloudOptions {
  /** An existing folder of the caller's: the authority's certificate and the blobs are kept in it. */
  directory: string;
  /** Who works at the workstation; Owner of the subscription. @default made up */
  workstation?: { clientId?: string; objectId?: string; clientSecret?: string };
  /** Where the workstation's proxy listens. @default 127.0.0.1, a free port */
  listen?: Address;
  /** @default a new one */
  authority?: AuthorityPair;
  /** How long Azure waits for a machine's first report, milliseconds. @default 20 minutes */
  provisioningTimeoutMs?: number;
}

/** The machine that `pulumi up` runs on: it reaches all of Azure, and no metadata service. */
export interface Workstation {
  /** For child processes; `AZURE_CLIENT_SECRET` is a throw-away one. */
  env: Record<string, string>;
  proxyUrl: string;
  principal: { objectId: string; clientId: string; tenantId: string; subscriptionId: string };
  gateway: Gateway;
}

/** Azure on loopback. Everything is in this process, but for one Azurite a storage account. */
export interface LoopbackAzure {
  cloud: Cloud;
  workstation: Workstation;
  faults: Faults;
  requests: RequestLog;
  tokens: TokenIssuer;
  authority: CertificateAuthority;
  /** Gives a machine of the cloud its own way in: with metadata service and wire server. */
  bootMachine(vmId: string, options?: Partial<MachineOptions>): Promise<Machine>;
  /** An OIDC issuer that federated credentials can name; its discovery document is served at its own host. */
  addTokenIssuer(issuer: string): Promise<ExternalIssuer>;
  /** Where each storage account's blobs lie on disk. */
  blobDirectories(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const LOOPBACK: Address = { host: "127.0.0.1", port: 0 };
const PROVISIONING_TIMEOUT_MS = 20 * 60_000;

/** Owner: everything on the control plane, nothing on the data planes, as in Azure. */
function makeOwner(cloud: Cloud, principal: Principal): void {
  const scope = `/subscriptions/${cloud.subscriptionId}`;
  cloud.put(
    {
      id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${principal.objectId}`,
      type: "Microsoft.Authorization/roleAssignments",
      name: principal.objectId,
      properties: {
        scope,
        principalId: principal.objectId,
        principalType: "ServicePrincipal",
        roleDefinitionId: `${scope}/providers/Microsoft.Authorization/roleDefinitions/${OWNER}`,
      },
    },
    { effectiveAfterMs: 0 },
  );
}

function addWorkstationPrincipal(
  cloud: Cloud,
  wanted: AzureOptions["workstation"] = {},
): Application & { secret: string } {
  const secret = wanted.clientSecret ?? randomBytes(24).toString("base64url");
  const application = cloud.directory.addApplication({
    displayName: "workstation",
    secrets: [secret],
    ...(wanted.clientId !== undefined && { clientId: wanted.clientId }),
    ...(wanted.objectId !== undefined && { objectId: wanted.objectId }),
  });
  makeOwner(cloud, application);
  return { ...application, secret };
}

interface Services {
  entra: Service;
  keyVault: Service;
  storage: Service;
  resourceManager: Service;
  consoles: Consoles;
  externalIssuers: Map<string, ExternalIssuerService>;
}

/** Hosts of vaults and accounts exist only while those do: as names in the DNS. */
function createRouter(cloud: Cloud, services: Services): Router {
  return (host, secure) => {
    if (!secure) return undefined;
    const { names } = cloud;
    if (names.login.includes(host)) return services.entra;
    if (host === names.resourceManager) return services.resourceManager;
    if (host === services.consoles.host) return services.consoles.service;
    const vault = nameBefore(host, names.vault);
    if (vault !== undefined) return cloud.vault(vault) && services.keyVault;
    const account = nameBefore(host, `blob.${names.storage}`);
    if (account !== undefined) return cloud.storageAccount(account) && services.storage;
    return [...services.externalIssuers.values()].find((one) => new URL(one.issuer).hostname === host)?.service;
  };
}

interface Parts {
  cloud: Cloud;
  authority: CertificateAuthority;
  tokens: TokenIssuer;
  backend: BlobBackend;
  externalIssuers: Map<string, ExternalIssuerService>;
  router: Router;
}

async function createParts(options: AzureOptions): Promise<Parts> {
  const cloud = createCloud(options);
  const [authority, tokens] = await Promise.all([
    createCertificateAuthority(options.directory, options.authority),
    createTokenIssuer(cloud.now, cloud.names),
  ]);
  const blobs = path.join(options.directory, "blobs");
  fs.mkdirSync(blobs, { recursive: true });
  const backend = createBlobBackend(cloud, blobs);
  cloud.attachBlobs(createBlobReader(cloud, backend));
  const externalIssuers = new Map<string, ExternalIssuerService>();
  const consoles = createConsoles(cloud);
  const router = createRouter(cloud, {
    entra: createEntra({ cloud, tokens, externalIssuers }),
    keyVault: createKeyVault(cloud, tokens),
    storage: createStorageBlob(cloud, tokens, backend),
    resourceManager: createResourceManager(cloud, tokens, consoles),
    consoles,
    externalIssuers,
  });
  return { cloud, authority, tokens, backend, externalIssuers, router };
}

async function openWorkstation(parts: Parts, gateway: Gateway, options: AzureOptions): Promise<Workstation> {
  const address = await gateway.listenProxy(options.listen ?? LOOPBACK);
  const proxyUrl = `http://${address.host}:${address.port}`;
  const { subscriptionId } = parts.cloud;
  const { objectId, clientId, tenantId, secret } = addWorkstationPrincipal(parts.cloud, options.workstation);
  const env = {
    ...proxyEnvironment(proxyUrl, parts.authority.certificateFile),
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: secret,
    AZURE_SUBSCRIPTION_ID: subscriptionId,
  };
  return { env, proxyUrl, principal: { objectId, clientId, tenantId, subscriptionId }, gateway };
}

/** Starts it; `close` ends every server, connection and process of it. */
export async function startAzure(options: AzureOptions): Promise<LoopbackAzure> {
  const parts = await createParts(options);
  const { cloud, authority, tokens, backend, externalIssuers, router } = parts;
  const faults = createFaults();
  const requests = createRequestLog();
  const shared = { authority, faults, log: requests, router };
  const workstation = await openWorkstation(parts, createGateway({ ...shared, via: "workstation" }), options);
  const machines = new Set<Machine>();

  async function boot(vmId: string, wanted: Partial<MachineOptions> = {}): Promise<Machine> {
    const provisioningTimeoutMs = options.provisioningTimeoutMs ?? PROVISIONING_TIMEOUT_MS;
    const machine = await bootMachine(
      vmId,
      { ...shared, cloud, tokens },
      { listen: LOOPBACK, provisioningTimeoutMs, ...wanted },
    );
    machines.add(machine);
    return machine;
  }

  async function addTokenIssuer(issuer: string): Promise<ExternalIssuer> {
    const made = await createExternalIssuer(issuer, cloud.now);
    externalIssuers.set(issuer, made);
    return made;
  }

  async function close(): Promise<void> {
    await Promise.all([workstation.gateway.close(), ...[...machines].map((machine) => machine.close())]);
    await backend.close();
  }

  const blobDirectories = () => backend.directories();
  return {
    cloud,
    workstation,
    faults,
    requests,
    tokens,
    authority,
    bootMachine: boot,
    addTokenIssuer,
    blobDirectories,
    close,
  };
}
