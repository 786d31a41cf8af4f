import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { type LoopbackAzure, startAzure } from "../azure";
import type { Address } from "../gateway/gateway";
import { IMDS_HOST } from "../machine/imds";
import type { Machine } from "../machine/machine";
import { WIRE_SERVER_HOST } from "../machine/wire-server";
import type { ServedProvider } from "../provider/grpc-server";
import { type MachineConfig, parseServeConfig, type ServeConfig } from "./serve-config";
import { type ConfiguredResources, configuredResources } from "./serve-resources";

/**
 * Azure on loopback as a program of its own: `loopback-azure --config FILE`. FILE is as `example.json`; all that it may
 * hold is in serve-config.ts. Any client that is given one of the printed environments then works against it: `curl`,
 * `sops`, the Azure SDKs.
 *
 * One JSON line on stdout gives the addresses once all of them listen, another one each time the file was read again
 * (SIGHUP: policies, roles, keys, user data and faults then are as the file says; addresses stay). With `"log": true`
 * each request is a JSON line on stderr. SIGTERM or SIGINT ends it.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: "string" } } });
  if (values.config === undefined) {
    process.exitCode = 2;
    console.error("which configuration? type: loopback-azure --config FILE");
    return;
  }
  await serve(values.config);
}

function readConfig(file: string): ServeConfig {
  return parseServeConfig(JSON.parse(fs.readFileSync(file, "utf8")));
}

function start(config: ServeConfig, directory: string): Promise<LoopbackAzure> {
  const { tenantId, subscriptionId, authority, workstation } = config;
  const { proxy, ...principal } = workstation;
  const pair = authority && {
    certificatePem: fs.readFileSync(authority.certificate, "utf8"),
    privateKeyPem: fs.readFileSync(authority.privateKey, "utf8"),
  };
  return startAzure({
    directory,
    workstation: principal,
    listen: proxy,
    ...(tenantId !== undefined && { tenantId }),
    ...(subscriptionId !== undefined && { subscriptionId }),
    ...(pair && { authority: pair }),
  });
}

/** Makes the keys that are not there yet, and sets the others' attributes. */
async function applyKeys(azure: LoopbackAzure, config: ServeConfig, made: ConfiguredResources): Promise<void> {
  const { keys } = azure.cloud;
  for (const vault of config.vaults) {
    const vaultId = made.vaultId(vault.name);
    for (const { name, operations: keyOps, enabled, keySize, privateKey, version } of vault.keys) {
      const known = keys.latest(vaultId, name);
      const isWanted = known !== undefined && (version === undefined || known.version === version);
      if (isWanted) keys.update(vaultId, name, known.version, { keyOps, enabled });
      else {
        const given = privateKey === undefined ? { keySize } : { privateKeyPem: fs.readFileSync(privateKey, "utf8") };
        await keys.create(vaultId, name, { ...given, keyOps, enabled, ...(version !== undefined && { version }) });
      }
    }
  }
}

/** Brings the cloud to what the file says. */
async function apply(
  azure: LoopbackAzure,
  config: ServeConfig,
  before?: ConfiguredResources,
): Promise<ConfiguredResources> {
  const { cloud, workstation } = azure;
  const { tenantId, subscriptionId, objectId } = workstation.principal;
  const made = configuredResources(config, { tenantId, subscriptionId, workstation: objectId });
  const wanted = new Set(made.resources.map(({ id }) => id));
  for (const { id } of before?.resources ?? []) if (!wanted.has(id)) cloud.remove(id);
  for (const resource of made.resources) cloud.put(resource);
  await applyKeys(azure, config, made);
  azure.faults.clear();
  for (const rule of config.faults) azure.faults.add(rule);
  return made;
}

function shown(address: Address): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

async function boot(azure: LoopbackAzure, made: ConfiguredResources, config: MachineConfig) {
  const { proxy, tls, metadata, wireServer } = config.listen;
  const provisioningTimeoutMs = config.provisioningTimeoutSeconds * 1000;
  const machine = await azure.bootMachine(made.machineId(config.name), { listen: proxy, provisioningTimeoutMs });
  const { gateway } = machine;
  const addresses = {
    ...(tls && { tls: shown(await gateway.listenTls(tls)) }),
    ...(metadata && { metadata: shown(await gateway.listenPlain(metadata, IMDS_HOST)) }),
    ...(wireServer && { wireServer: shown(await gateway.listenPlain(wireServer, WIRE_SERVER_HOST)) }),
  };
  return { machine, description: { proxy: machine.proxyUrl, ...addresses, environment: machine.env } };
}

function keyUrls(azure: LoopbackAzure, config: ServeConfig, made: ConfiguredResources): Record<string, string> {
  const urls = config.vaults.flatMap((vault) =>
    vault.keys.map(({ name }) => {
      const version = azure.cloud.keys.latest(made.vaultId(vault.name), name)?.version;
      return [`${vault.name}/${name}`, `https://${vault.name.toLowerCase()}.vault.azure.net/keys/${name}/${version}`];
    }),
  );
  return Object.fromEntries(urls);
}

/** Requests, and what Azure thinks of each machine's start after its reports. */
function logRequests(azure: LoopbackAzure, machines: Machine[]): void {
  azure.requests.subscribe((request) => {
    console.error(JSON.stringify(request));
    if (!request.operation?.startsWith("health")) return;
    const machine = machines.find(({ vmId }) => vmId === request.via);
    if (machine) console.error(JSON.stringify({ machine: machine.vmId, provisioning: machine.provisioning() }));
  });
}

/** The provider in place of azure-native, over the same cloud; loaded only where it is asked for. */
async function servePulumi({ cloud, workstation }: LoopbackAzure, { location }: ServeConfig): Promise<ServedProvider> {
  const [{ simulatedAzureNative }, { serveProvider }] = await Promise.all([
    import("../provider/azure-native.js"),
    import("../provider/grpc-server.js"),
  ]);
  return serveProvider(simulatedAzureNative({ cloud, principal: workstation.principal, location }));
}

/** Boots the machines, tells the addresses, and reads the file again whenever it is asked to. */
async function run(azure: LoopbackAzure, file: string, config: ServeConfig): Promise<void> {
  let made = await apply(azure, config);
  const booted = await Promise.all(
    config.machines.map(async (machine) => [machine.name, await boot(azure, made, machine)] as const),
  );
  const machines = booted.map(([, { machine }]) => machine);
  if (config.log) logRequests(azure, machines);
  const provider = config.pulumi ? await servePulumi(azure, config) : undefined;
  const attach = provider && { PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}` };
  const { proxyUrl: proxy, env } = azure.workstation;
  const environment = { ...env, ...attach };
  const described = Object.fromEntries(booted.map(([name, { description }]) => [name, description]));
  const certificate = azure.authority.certificateFile;
  const listening = { event: "listening", certificate, workstation: { proxy, environment }, machines: described };
  console.log(JSON.stringify({ ...listening, keyUrls: keyUrls(azure, config, made) }));
  const reread = async () => {
    const changed = readConfig(file);
    made = await apply(azure, changed, made);
    console.log(JSON.stringify({ event: "reloaded", keyUrls: keyUrls(azure, changed, made) }));
  };
  process.on("SIGHUP", () => {
    reread().catch((error: Error) => console.error(`the configuration was not read again: ${error.message}`));
  });
  await ended();
  await provider?.close();
}

async function serve(file: string): Promise<void> {
  const config = readConfig(file);
  const directory = config.directory ?? fs.mkdtempSync(path.join(os.tmpdir(), "loopback-azure-"));
  const azure = await start(config, directory);
  try {
    await run(azure, file, config);
  } finally {
    await azure.close();
    if (config.directory === undefined) fs.rmSync(directory, { recursive: true, force: true });
  }
}

function ended(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
