import { ID, type Malformed, WORKING } from "./working";

/** A key of 1024 bits: type, exponent and modulus, each after its length. */
const SHORT_RSA = `ssh-rsa ${Buffer.concat(["ssh-rsa", "\x01\x00\x01", "\x00".repeat(129)].map(sshString)).toString("base64")}`;

function sshString(content: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, Buffer.from(content, "latin1")]);
}

/** Dials of what is made in Azure that are refused. */
export const AZURE: readonly Malformed[] = [
  [
    "a location that is missing",
    { "azure-native:location": undefined },
    'azure-native:location must be an Azure region, such as "westeurope", got nothing: type pulumi config set azure-native:location westeurope',
  ],
  [
    "a location that is no region",
    { "azure-native:location": "west/europe" },
    'azure-native:location must be an Azure region, such as "westeurope", got "west/europe": type pulumi config set azure-native:location westeurope',
  ],
  [
    "a stack whose name Azure would not take",
    { stack: "Dev_1" },
    'the stack\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 30, got "Dev_1": type pulumi stack rename NAME',
  ],
  [
    "a stack whose name is too long",
    { stack: "a".repeat(31) },
    'the stack\'s name must be lower-case letters, digits and single hyphens, starting with a letter, at most 30, got "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": type pulumi stack rename NAME',
  ],
  [
    "a key that is mistyped",
    { vmSze: "Standard_B2s" },
    'configuration has an unknown key "vmSze", allowed are secrets, services, recipients, keySize, keyProtection, authorization, purgeProtection, softDeleteDays, sealers, image, vmSize, sshPublicKey, adminUser, ephemeralOsDisk, outbound, existing, grants, network, osDisk, security, zones, spot, bootAgent, production, tags, vaultAuth, status, logs, replicas, frontEnd, rollout, dataDisk, update, reboot: did you mean "vmSize"',
  ],
  [
    "a key that nothing is like",
    { colour: "blue" },
    'configuration has an unknown key "colour", allowed are secrets, services, recipients, keySize, keyProtection, authorization, purgeProtection, softDeleteDays, sealers, image, vmSize, sshPublicKey, adminUser, ephemeralOsDisk, outbound, existing, grants, network, osDisk, security, zones, spot, bootAgent, production, tags, vaultAuth, status, logs, replicas, frontEnd, rollout, dataDisk, update, reboot: remove it',
  ],
  [
    "an encrypted value",
    { secretKeys: ["sealed-onion:secrets"] },
    "secrets must hold no secret, got an encrypted value: remove it and point to it by sealed-onion:secrets.NAME.source",
  ],
  [
    "an encrypted value of a dial",
    { sshPublicKey: WORKING.sshPublicKey, secretKeys: ["sealed-onion:sshPublicKey"] },
    "sshPublicKey must hold no secret, got an encrypted value: set sealed-onion:sshPublicKey without --secret",
  ],
  [
    "logs that nobody could open",
    { logs: { units: ["tor.service"] } },
    "logs are encrypted for the plain age and SSH keys of recipients.age, and there is none: set sealed-onion:recipients.age[0], or remove sealed-onion:logs",
  ],
  [
    "logs that lie nowhere",
    { logs: { units: ["tor.service"] }, recipients: { age: [WORKING.sshPublicKey] }, status: false },
    "logs lie where the status does, and status is false: set sealed-onion:status to true",
  ],
  [
    "logs of no unit",
    { logs: { units: [] } },
    "logs.units must be a list of at least one service, got []: set sealed-onion:logs.units",
  ],
  [
    "logs of what is no service",
    { logs: { units: ["tor"] } },
    'logs.units[0] must be a service with its type, such as "web.service", got "tor": set sealed-onion:logs.units[0]',
  ],
  [
    "a data disk without a size",
    { dataDisk: { type: "Premium_LRS" } },
    "dataDisk.sizeGib must be a whole number from 4 to 32767, got nothing: set sealed-onion:dataDisk.sizeGib",
  ],
  [
    "a data disk of a kind that lies in several zones",
    { dataDisk: { sizeGib: 32, type: "Premium_ZRS" } },
    'dataDisk.type must be Standard_LRS, StandardSSD_LRS or Premium_LRS, got "Premium_ZRS": set sealed-onion:dataDisk.type',
  ],
  [
    "a key size that RSA keys of a vault do not have",
    { keySize: 1024 },
    "keySize must be 2048, 3072 or 4096, got 1024: set sealed-onion:keySize",
  ],
  [
    "a key size that is a word",
    { keySize: "big" },
    'keySize must be 2048, 3072 or 4096, got "big": set sealed-onion:keySize',
  ],
  [
    "an unknown protection",
    { keyProtection: "hardware" },
    'keyProtection must be software or hsm, got "hardware": set sealed-onion:keyProtection',
  ],
  [
    "an unknown authorization",
    { authorization: "RBAC" },
    'authorization must be accessPolicy or rbac, got "RBAC": set sealed-onion:authorization',
  ],
  [
    "tags that are a list",
    { tags: ["team"] },
    'tags must be an object of tags, such as {"team": "web"}, got a list of 1: set sealed-onion:tags',
  ],
  [
    "a tag that is no text",
    { tags: { team: 7 } },
    'tags["team"] must be a text of at most 256 characters, got 7: set sealed-onion:tags["team"]',
  ],
  [
    "a tag's name that Azure refuses",
    { tags: { "a/b": "c" } },
    'tags has a tag "a/b", a name has 1 to 128 characters and none of <>%&\\?/: rename it in sealed-onion:tags',
  ],
  [
    "more tags than a storage account takes",
    { tags: Object.fromEntries([...Array(16).keys()].map((index) => [`t${index}`, ""])) },
    "tags has 16 tags, 15 are allowed: remove some from sealed-onion:tags",
  ],
  [
    "purge protection that is neither true nor false",
    { purgeProtection: "yes" },
    'purgeProtection must be true or false, got "yes": set sealed-onion:purgeProtection',
  ],
  [
    "soft delete for a day",
    { softDeleteDays: 1 },
    "softDeleteDays must be a whole number from 7 to 90, got 1: set sealed-onion:softDeleteDays",
  ],
  [
    "soft delete for a year",
    { softDeleteDays: 365 },
    "softDeleteDays must be a whole number from 7 to 90, got 365: set sealed-onion:softDeleteDays",
  ],
  [
    "sealers as a text",
    { sealers: "alice" },
    "sealers must be a list of object ids, got a text of 5 characters: set sealed-onion:sealers",
  ],
  [
    "a sealer by name",
    { sealers: ["alice@example.com"] },
    'sealers[0] must be an object id of Entra ID, after user:, group: or servicePrincipal: (user: may be left out), got "alice@example.com": type az ad signed-in-user show --query id and set sealed-onion:sealers[0]',
  ],
  [
    "a sealer of an unknown kind",
    { sealers: [`robot:${ID}`] },
    'sealers[0] must be an object id of Entra ID, after user:, group: or servicePrincipal: (user: may be left out), got "robot:01234567-89ab-4def-8123-456789abcdef": type az ad signed-in-user show --query id and set sealed-onion:sealers[0]',
  ],
  [
    "one sealer twice",
    { sealers: [ID, `user:${ID}`] },
    'sealers holds "01234567-89ab-4def-8123-456789abcdef" twice: remove one of them from sealed-onion:sealers',
  ],
  [
    "production where the principal that runs up may seal",
    { production: true, network: { allow: ["198.51.100.7"] } },
    "sealers must name somebody where production is true, got nobody: type pulumi config set --path 'sealed-onion:sealers[0]' OBJECT-ID",
  ],
  [
    "production where nothing says from where vault and account are reached",
    { production: true, sealers: ["01234567-89ab-4def-8123-456789abcdef"], network: {} },
    "network must say who reaches vault and account where production is true, got nothing: type pulumi config set --path 'sealed-onion:network.allow[0]' YOUR-ADDRESS, or pulumi config set --path 'sealed-onion:network.allow' everybody",
  ],
  [
    "production as a word",
    { production: "no" },
    'production must be true or false, got "no": set sealed-onion:production',
  ],
  [
    "an image as a text",
    { image: "nixos.vhd" },
    "image must be an object, got a text of 9 characters: set sealed-onion:image",
  ],
  [
    "a mistyped key of the image",
    { image: { vdh: "nixos.vhd" } },
    'image has an unknown key "vdh", allowed are vhd, builder, publish, upload, keep, generation, targetRegions: did you mean "vhd"',
  ],
  [
    "a disk in a home folder that no shell looks up",
    { image: { vhd: "~/nixos.vhd" } },
    'image.vhd must be the path of a disk file, without ~, got "~/nixos.vhd": set sealed-onion:image.vhd',
  ],
  [
    "a disk and a builder",
    { image: { vhd: "nixos.vhd", builder: ["build"] } },
    "image has both a vhd and a builder: remove one from sealed-onion:image",
  ],
  [
    "an empty builder",
    { image: { builder: [] } },
    "image.builder must be a program and its arguments as a list, got a list of 0: set sealed-onion:image.builder",
  ],
  [
    "an unknown way to publish",
    { image: { publish: "marketplace" } },
    'image.publish must be managed or gallery, got "marketplace": set sealed-onion:image.publish',
  ],
  [
    "fewer than no images to keep",
    { image: { keep: -1 } },
    "image.keep must be a whole number from 0 to 100, got -1: set sealed-onion:image.keep",
  ],
  [
    "regions without a gallery",
    { image: { targetRegions: [{ name: "westeurope" }] } },
    "image.targetRegions is for galleries: set sealed-onion:image.publish to gallery",
  ],
  [
    "a gallery elsewhere only",
    { image: { publish: "gallery", targetRegions: [{ name: "northeurope" }] } },
    "image.targetRegions must hold the stack's own region westeurope, got northeurope: add it to sealed-onion:image.targetRegions",
  ],
  [
    "a region twice",
    { image: { publish: "gallery", targetRegions: [{ name: "westeurope" }, { name: "westeurope" }] } },
    'image.targetRegions holds "westeurope" twice: remove one of them from sealed-onion:image.targetRegions',
  ],
  [
    "a region with no copy",
    { image: { publish: "gallery", targetRegions: [{ name: "westeurope", replicas: 0 }] } },
    "image.targetRegions[0].replicas must be a whole number from 1 to 100, got 0: set sealed-onion:image.targetRegions[0].replicas",
  ],
  [
    "a VM size in short",
    { vmSize: "B2s" },
    'vmSize must be a VM size\'s full name, such as "Standard_B2s", got "B2s": set sealed-onion:vmSize',
  ],
  [
    "a VM size of the first generation",
    { vmSize: "Standard_A2_v2" },
    'vmSize must be a size for Generation 2 images (UEFI), got "Standard_A2_v2": set sealed-onion:vmSize',
  ],
  [
    "a basic VM size",
    { vmSize: "Basic_A1" },
    'vmSize must be a size for Generation 2 images (UEFI), got "Basic_A1": set sealed-onion:vmSize',
  ],
  [
    "a VM size without premium storage and without UEFI",
    { vmSize: "Standard_D2_v3" },
    'vmSize must be a size for Generation 2 images (UEFI), got "Standard_D2_v3": set sealed-onion:vmSize',
  ],
  [
    "an ephemeral disk where there is no room for it",
    { ephemeralOsDisk: true },
    'vmSize must be a size with a local disk for the ephemeral OS disk, such as "Standard_D2ds_v5", got "Standard_B2s": set sealed-onion:vmSize, or sealed-onion:ephemeralOsDisk to false',
  ],
  [
    "an ephemeral disk without a local disk",
    { ephemeralOsDisk: true, vmSize: "Standard_D2s_v5" },
    'vmSize must be a size with a local disk for the ephemeral OS disk, such as "Standard_D2ds_v5", got "Standard_D2s_v5": set sealed-onion:vmSize, or sealed-onion:ephemeralOsDisk to false',
  ],
  [
    "no SSH key",
    { sshPublicKey: undefined },
    'sshPublicKey must be the SSH public key of the VM\'s operator, got nothing: type pulumi config set sealed-onion:sshPublicKey "$(cat ~/.ssh/id_ed25519.pub)"',
  ],
  [
    "a private SSH key",
    { sshPublicKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2" },
    "sshPublicKey must be a public key, not a private one, got a text of 43 characters: set sealed-onion:sshPublicKey",
  ],
  [
    "an SSH key of a kind that Azure does not know",
    { sshPublicKey: "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=" },
    'sshPublicKey must be an SSH public key (ssh-ed25519 or ssh-rsa, then its base64 text), got "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=": set sealed-onion:sshPublicKey',
  ],
  [
    "an SSH key that says it is of another kind",
    { sshPublicKey: `${WORKING.sshPublicKey}`.replace("ssh-ed25519", "ssh-rsa") },
    'sshPublicKey must be a whole SSH public key, of the type that it names, got "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIB8+mCR+MEsv0XYi7ohvdKLbDecB…": set sealed-onion:sshPublicKey',
  ],
  [
    "a short RSA key",
    { sshPublicKey: SHORT_RSA },
    'sshPublicKey must be an ssh-rsa key of at least 2048 bits, got "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQAAAAAAAAAAAAAAAAAAAAAA…": set sealed-onion:sshPublicKey',
  ],
  [
    "root as the operator",
    { adminUser: "root" },
    'adminUser must be a name that neither Azure nor the system reserves, got "root": set sealed-onion:adminUser',
  ],
  [
    "an operator with capitals",
    { adminUser: "Alice" },
    'adminUser must be a Linux user\'s name (a-z, 0-9, _ and -, at most 31), got "Alice": set sealed-onion:adminUser',
  ],
  [
    "an unknown way out",
    { outbound: "loadBalancer" },
    'outbound must be publicIp, natGateway or subnet, got "loadBalancer": set sealed-onion:outbound',
  ],
  [
    "a mistyped switch of the boot agent",
    { bootAgent: { chekIn: true } },
    'bootAgent has an unknown key "chekIn", allowed are checkIn, hostname, sshKeys, entropy, readyWhenUnsealed, userDataSecrets: did you mean "checkIn"',
  ],
  [
    "a switch that is neither on nor off",
    { bootAgent: { checkIn: "on" } },
    'bootAgent.checkIn must be true or false, got "on": set sealed-onion:bootAgent.checkIn',
  ],
  [
    "ready when unsealed, but nothing to report it",
    { bootAgent: { checkIn: false, readyWhenUnsealed: true } },
    "bootAgent.readyWhenUnsealed is true but bootAgent.checkIn is false, so nothing is reported: set sealed-onion:bootAgent.checkIn to true",
  ],
];
