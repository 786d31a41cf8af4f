import type * as pulumi from "@pulumi/pulumi";
import { lendLogin } from "./components/azure/session/lend-login";
import { onionHostnamesOf } from "./components/stack/addresses";
import { readConfig } from "./components/stack/config";
import { deliver } from "./components/stack/delivery";
import { deployedFacts } from "./components/stack/facts";
import { machineFacts } from "./components/stack/fleet-facts";
import { knownHostsOf } from "./components/stack/known-hosts";
import { makeMachines, sealFor } from "./components/stack/machines";
import { networkFor } from "./components/stack/network";
import { inPlace } from "./components/stack/place";
import type { SystemTrust } from "./components/system/system-closure";
import { SealingVault } from "./components/vault/sealing-vault";
import { VaultAzureAuth } from "./components/vault-auth/vault-azure-auth";
import { statusUrl } from "./components/vm/status/status-container";

const config = readConfig();
const { granted, stack, location, production, recipients, services } = config;

const at = { vault: inPlace("vault", config) };
const hasFrontEnd = config.fleet !== undefined;
const fingerprintKeyName = "vault-fingerprint-key";
const vaultArgs = { stack, location, production, fingerprintKeyName, hasFrontEnd, ...config.vault };
const vault = new SealingVault(at.vault.name, { ...vaultArgs, ...networkFor(config) }, at.vault.options);
const { deployer, fingerprintKey, identity, network, resourceGroupName } = vault;

const sealed = sealFor(config, vault, { stack, production, recipients, fingerprintKey });
const { hostnames, machines } = sealed;

const facts = (endpoint: pulumi.Output<string>, trust?: SystemTrust) => {
  const known = { keyUrl: vault.keyUrl, clientId: identity.clientId, hostnames, statusUrl: statusUrl({ endpoint }) };
  return deployedFacts(config, { ...known, ...trust }, machineFacts);
};

const { userDataSecrets } = config.bootAgent;
const imageArgs = {
  ...{ stack, location, resourceGroupName, facts },
  sealed: userDataSecrets ? {} : machines.digests,
  ready: machines.ready,
  uploaders: vault.sealers,
  ...{ deployer, network },
  zoneResilient: hasFrontEnd,
  ...config.image,
};
const { image, ready, release } = deliver(config, { vault, secrets: machines, imageArgs, facts });

const vmArgs = {
  stack,
  location,
  resourceGroupName,
  imageId: image.imageId,
  ...{ identity, ownSubnetId: network?.ownSubnetId },
  ready: [...vault.machineReady, ...ready],
  userDataSecrets: userDataSecrets ? machines.digests : undefined,
  release,
  images: { containerUrl: image.containerUrl, current: image.blobName, keep: config.image.keep },
  status: config.status ? { account: image.account, subscriptionId: deployer.subscriptionId, granted } : undefined,
  ...config.machine,
};

if (config.vaultAuth) {
  new VaultAzureAuth("vault-auth", { stack, resourceGroupName, identity, deployer, ...config.vaultAuth });
}

/** Who deploys, and so seals and uploads: a preview shows when that is somebody else than last time. */
export const deployedBy = lendLogin(stack, deployer, [vault.vaultUri, image.containerUrl]);
export const onionHostnames = onionHostnamesOf(config, hostnames);
export const onionHostname = hostnames.apply(
  (known) => known[services.find(({ ssh }) => !hasFrontEnd || !ssh)?.key ?? ""],
);
/** Lines of `known_hosts` by service, where SSH is offered. */
export const knownHosts = knownHostsOf(config, { hostnames, publicKeys: machines.publicKeys });
export const keyUrl = vault.keyUrl;
export const vaultUri = vault.vaultUri;
export const identityClientId = identity.clientId;
export const imageId = image.imageId;
/** Of several machines, the ids of all. */
export const vmId = makeMachines(config, sealed, vmArgs, imageArgs);
export const resourceGroup = resourceGroupName;
