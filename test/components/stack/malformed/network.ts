import type { Malformed } from "./working";

const GROUP = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/shared/providers";

/** Who reaches vault and account, said wrongly. */
export const NETWORK: readonly Malformed[] = [
  [
    "a mistyped part of the network",
    { network: { privateEndpoint: true } },
    'network has an unknown key "privateEndpoint", allowed are allow, privateEndpoints, publicAccess: did you mean "privateEndpoints"',
  ],
  [
    "one network in the place of a list",
    { network: { allow: "198.51.100.0/24" } },
    'network.allow must be a list of IPv4 networks, such as ["198.51.100.0/24"], or everybody, got a text of 15 characters: set sealed-onion:network.allow',
  ],
  [
    "everybody behind a firewall",
    { network: { allow: "everybody", privateEndpoints: true } },
    "network.allow is everybody, which closes nothing, and network.privateEndpoints is about what is closed: remove one of them",
  ],
  [
    "an IPv6 network",
    { network: { allow: ["2001:db8::/32"] } },
    'network.allow[0] must be an IPv4 network in CIDR notation, such as "198.51.100.0/24" or "198.51.100.7", got "2001:db8::/32": set sealed-onion:network.allow[0]',
  ],
  [
    "an address that is none",
    { network: { allow: ["198.51.100.256"] } },
    'network.allow[0] must be an IPv4 network in CIDR notation, such as "198.51.100.0/24" or "198.51.100.7", got "198.51.100.256": set sealed-onion:network.allow[0]',
  ],
  [
    "all of the internet",
    { network: { allow: ["0.0.0.0/0"] } },
    'network.allow[0] must be a part of the internet, got "0.0.0.0/0": set sealed-onion:network.allow to everybody',
  ],
  [
    "an address of a network in the network's place",
    { network: { allow: ["198.51.100.7/24"] } },
    'network.allow[0] must be a network\'s first address and its size, such as 198.51.100.0/24, got "198.51.100.7/24": set sealed-onion:network.allow[0]',
  ],
  [
    "an address of a company's inside",
    { network: { allow: ["198.51.100.7", "10.1.0.0/16"] } },
    'network.allow[1] must be public addresses, as Azure sees them, got "10.1.0.0/16": set sealed-onion:network.allow[1]',
  ],
  [
    "the same network twice",
    { network: { allow: ["198.51.100.7", "198.51.100.7/32"] } },
    'network.allow holds "198.51.100.7/32" twice: remove one of them from sealed-onion:network.allow',
  ],
  [
    "private endpoints by a word",
    { network: { privateEndpoints: "yes" } },
    'network.privateEndpoints must be true or false, got "yes": set sealed-onion:network.privateEndpoints',
  ],
  [
    "no public access by a boolean",
    { network: { privateEndpoints: true, publicAccess: false } },
    "network.publicAccess must be on or off, got false: set sealed-onion:network.publicAccess",
  ],
  [
    "a cloud that Azure does not have",
    { "azure-native:environment": "german" },
    'Azure environment must be public, usgovernment or china, got "german": set azure-native:environment',
  ],
  [
    "a vault that nobody reaches",
    { network: { publicAccess: "off" } },
    "network.publicAccess is off and network.privateEndpoints is not true, so no machine would reach the vault: set sealed-onion:network.privateEndpoints to true",
  ],
  [
    "addresses for a closed door",
    { network: { privateEndpoints: true, publicAccess: "off", allow: ["198.51.100.7"] } },
    "network.allow is about the public endpoints, which network.publicAccess off closes: remove one of them",
  ],
  [
    "rules for what somebody else keeps",
    {
      authorization: "rbac",
      existing: {
        vault: `${GROUP}/Microsoft.KeyVault/vaults/shared`,
        storageAccount: `${GROUP}/Microsoft.Storage/storageAccounts/shared`,
      },
      network: { allow: [] },
    },
    "network is about a vault and an account of the stack's own, and existing.vault and existing.storageAccount have rules of their own: remove sealed-onion:network",
  ],
];
