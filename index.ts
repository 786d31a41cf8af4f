import type * as pulumi from "@pulumi/pulumi";
import { lendLogin } from "./components/azure/session/lend-login";
import { NixosImage } from "./components/image/nixos-image";
import { sealSecrets } from "./components/secrets/sealed-secrets";
import { onionHostnamesOf } from "./components/stack/addresses";
import { readConfig } from "./components/stack/config";
import { deployedFacts } from "./components/stack/facts";
import { knownHostsOf } from "./components/stack/known-hosts";
import { inPlace } from "./components/stack/place";
import { SealingVault } from "./components/vault/sealing-vault";
import { VaultAzureAuth } from "./components/vault-auth/vault-azure-auth";
import { OnionVm } from "./components/vm/onion-vm";
import { statusUrl } from "./components/vm/status/status-container";

const config = readConfig();
const { stack, location, production, recipients, services } = config;

const at = { vault: inPlace("vault", config), image: inPlace("image", config), vm: inPlace("vm", config) };
const vaultArgs = { stack, location, production, fingerprintKeyName: "vault-fingerprint-key", ...config.vault };
const vault = new SealingVault(at.vault.name, vaultArgs, at.vault.options);
const { deployer, identity, resourceGroupName } = vault;

const { digests, hostnames, publicKeys, ready } = sealSecrets(config.secrets, {
  stack,
  production,
  recipients,
  keyUrl: vault.keyUrl,
  fingerprintKey: vault.fingerprintKey,
  ready: vault.sealersReady,
});

const facts = (endpoint: pulumi.Output<string>) => {
  const { clientId } = identity;
  return deployedFacts(config, { keyUrl: vault.keyUrl, clientId, hostnames, statusUrl: statusUrl({ endpoint }) });
};

const { userDataSecrets } = config.bootAgent;
const imageArgs = {
  stack,
  location,
  resourceGroupName,
  facts,
  sealed: userDataSecrets ? {} : digests,
  ready,
  uploaders: vault.sealers,
  deployer,
  ...config.image,
};
const image = new NixosImage(at.image.name, imageArgs, at.image.options);

const vmArgs = {
  stack,
  location,
  resourceGroupName,
  imageId: image.imageId,
  identity,
  ready: [...vault.machineReady, ...image.ready],
  userDataSecrets: userDataSecrets ? digests : undefined,
  images: { containerUrl: image.containerUrl, current: image.blobName, keep: config.image.keep },
  status: config.status ? { account: image.account, subscriptionId: deployer.subscriptionId } : undefined,
  ...config.machine,
};
const vm = new OnionVm(at.vm.name, vmArgs, at.vm.options);

if (config.vaultAuth) {
  new VaultAzureAuth("vault-auth", { stack, resourceGroupName, identity, deployer, ...config.vaultAuth });
}

/** Who deploys, and so seals and uploads: a preview shows when that is somebody else than last time. */
export const deployedBy = lendLogin(stack, deployer, [vault.vaultUri, image.containerUrl]);
export const onionHostnames = onionHostnamesOf(services, hostnames);
export const onionHostname = hostnames.apply((known) => known[services[0]?.key ?? ""]);
/** Lines of `known_hosts` by service, where SSH is offered. */
export const knownHosts = knownHostsOf(services, { hostnames, publicKeys });
export const keyUrl = vault.keyUrl;
export const vaultUri = vault.vaultUri;
export const identityClientId = identity.clientId;
export const imageId = image.imageId;
export const vmId = vm.vmId;
export const resourceGroup = resourceGroupName;
