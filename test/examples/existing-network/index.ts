import * as pulumi from "@pulumi/pulumi";
import {
  deployedFacts,
  lendLogin,
  NixosImage,
  OnionVm,
  readConfig,
  SealingVault,
  sealSecrets,
  statusUrl,
} from "sealed-onion";

/** `sealed-onion:*` as in this package's README, and what is there already. */
const config = readConfig();
const given = new pulumi.Config();
const resourceGroupName = given.require("resourceGroup");
const subnetId = given.require("subnetId"); // with a way out of its own, as a NAT gateway

const { stack, location, production, recipients } = config;
const vault = new SealingVault("vault", { stack, location, production, resourceGroupName, ...config.vault });
const { deployer, identity, keyUrl, fingerprintKey, sealersReady } = vault;
const secrets = sealSecrets(config.secrets, {
  ...{ stack, production, recipients, keyUrl, fingerprintKey },
  ready: sealersReady,
});

const image = new NixosImage("image", {
  ...{ stack, location, resourceGroupName, deployer },
  ...config.image,
  facts: (endpoint) =>
    deployedFacts(config, {
      keyUrl,
      clientId: identity.clientId,
      hostnames: secrets.hostnames,
      statusUrl: statusUrl({ endpoint }),
    }),
  sealed: secrets.digests,
  ready: secrets.ready,
  uploaders: vault.sealers,
});

const vm = new OnionVm("vm", {
  ...{ stack, location, resourceGroupName, subnetId, identity },
  ...config.machine,
  imageId: image.imageId,
  ready: [...vault.machineReady, ...image.ready],
  images: { containerUrl: image.containerUrl, current: image.blobName, keep: config.image.keep },
  status: config.status ? { account: image.account, subscriptionId: deployer.subscriptionId } : undefined,
  userDataSecrets: undefined,
});

export const deployedBy = lendLogin(stack, deployer, [vault.vaultUri, image.containerUrl]);
export const onionHostnames = secrets.hostnames;
export const vmId = vm.vmId;
