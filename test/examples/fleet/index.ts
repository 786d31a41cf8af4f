import type * as pulumi from "@pulumi/pulumi";
import {
  deployedFacts,
  lendLogin,
  machineFacts,
  makeMachines,
  NixosImage,
  readConfig,
  SealingVault,
  sealFor,
  statusUrl,
} from "sealed-onion";

/** `sealed-onion:*` as in this package's README, with `replicas` and `authorization: rbac` among them. */
const config = readConfig();
const { stack, location, production, recipients } = config;

/** Two keys: the replicas' identity may decrypt with one, the front end's with the other. */
const vault = new SealingVault("vault", { stack, location, production, hasFrontEnd: true, ...config.vault });
const { deployer, fingerprintKey, identity, resourceGroupName } = vault;
const sealed = sealFor(config, vault, { stack, production, recipients, fingerprintKey });

const imageArgs = {
  ...{ stack, location, resourceGroupName, deployer },
  ...config.image,
  facts: (endpoint: pulumi.Output<string>) => {
    const known = { keyUrl: vault.keyUrl, clientId: identity.clientId, hostnames: sealed.hostnames };
    return deployedFacts(config, { ...known, statusUrl: statusUrl({ endpoint }) }, machineFacts);
  },
  sealed: sealed.machines.digests,
  ready: sealed.machines.ready,
  uploaders: vault.sealers,
  zoneResilient: true,
};
const image = new NixosImage("image", imageArgs);

const vmArgs = {
  ...{ stack, location, resourceGroupName, identity },
  ...config.machine,
  imageId: image.imageId,
  ready: [...vault.machineReady, ...image.ready],
  images: { containerUrl: image.containerUrl, current: image.blobName, keep: config.image.keep },
  status: { account: image.account, subscriptionId: deployer.subscriptionId },
  userDataSecrets: undefined,
};

export const deployedBy = lendLogin(stack, deployer, [vault.vaultUri, image.containerUrl]);
export const onionHostnames = sealed.hostnames;
/** One id a machine: the replicas', then the front end's. */
export const vmIds = makeMachines(config, sealed, vmArgs, imageArgs);
