import type { PropertyMap } from "../values";
import type { World } from "../world";
import { type Row, tellRefusals } from "./table";

const NOT_FOUND =
  "was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.";

function rule(change: PropertyMap): PropertyMap {
  const anything = {
    sourceAddressPrefix: "*",
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: "*",
  };
  return { name: "one", direction: "Inbound", access: "Deny", protocol: "*", priority: 100, ...anything, ...change };
}

function subnetBehind(firewall: (world: World) => string): (world: World) => PropertyMap {
  return (w) => ({
    ...w.place,
    virtualNetworkName: "vnet1",
    subnetName: "s",
    addressPrefix: "10.0.0.32/28",
    networkSecurityGroup: { id: firewall(w) },
  });
}

const checked: Row[] = [
  [
    "a rule of another direction",
    "network:NetworkSecurityGroup",
    ({ place }) => ({
      ...place,
      securityRules: [{ name: "r", direction: "Sideways", access: "Deny", protocol: "*", priority: 100 }],
    }),
    `'securityRules[0].direction' must be one of Inbound, Outbound, got "Sideways"`,
  ],
  [
    "a NAT gateway without a sku",
    "network:NatGateway",
    ({ place }) => ({ ...place }),
    "missing required property 'sku'",
  ],
];

const refused: Row[] = [
  [
    "a network of no network",
    "network:VirtualNetwork",
    ({ place }) => ({ ...place, virtualNetworkName: "v2", addressSpace: { addressPrefixes: ["10.0.0.1/24"] } }),
    `Status=400 Code="InvalidCIDRNotation" Message="The address prefix 10.0.0.1/24`,
  ],
  [
    "a subnet outside of its network",
    "network:Subnet",
    ({ place }) => ({ ...place, virtualNetworkName: "vnet1", subnetName: "s", addressPrefix: "10.1.0.0/28" }),
    `Code="NetcfgSubnetRangeOutsideVnet" Message="Subnet 's' is not valid because its IP address range is outside the IP address range of virtual network 'vnet1'."`,
  ],
  [
    "a subnet over another",
    "network:Subnet",
    ({ place }) => ({ ...place, virtualNetworkName: "vnet1", subnetName: "s", addressPrefix: "10.0.0.8/29" }),
    `Code="NetcfgSubnetRangesOverlap"`,
  ],
  [
    "a subnet of four addresses",
    "network:Subnet",
    ({ place }) => ({ ...place, virtualNetworkName: "vnet1", subnetName: "s", addressPrefix: "10.0.0.32/30" }),
    `Code="NetcfgSubnetRangeTooSmall"`,
  ],
  ["a firewall that is not there", "network:Subnet", subnetBehind((w) => `${w.firewall.id}x`), NOT_FOUND],
  [
    "a firewall that is a network",
    "network:Subnet",
    subnetBehind((w) => w.network.id),
    `Code="LinkedInvalidPropertyId"`,
  ],
  [
    "a priority of 99",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, securityRules: [rule({ priority: 99 })] }),
    "Value provided: 99 Allowed range 100-4096.",
  ],
  [
    "two rules of one priority",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, securityRules: [rule({}), rule({ name: "two" })] }),
    "Security rule two conflicts with rule one. Rules cannot have the same Priority and Direction.",
  ],
  [
    "a rule for no port",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, securityRules: [rule({ destinationPortRange: undefined })] }),
    "Security rule one has neither destinationPortRange nor destinationPortRanges.",
  ],
  [
    "an address of the retired sku",
    "network:PublicIPAddress",
    ({ place }) => ({ ...place }),
    `Code="IPv4BasicSkuPublicIpCountLimitReached"`,
  ],
  [
    "a dynamic address of the standard sku",
    "network:PublicIPAddress",
    ({ place }) => ({ ...place, sku: { name: "Standard" }, publicIPAllocationMethod: "Dynamic" }),
    "must have AllocationMethod set to Static.",
  ],
  [
    "a card without a subnet",
    "network:NetworkInterface",
    ({ place }) => ({ ...place, ipConfigurations: [{ name: "one" }] }),
    `Code="IpConfigurationSubnetMissing"`,
  ],
  [
    "a card without a configuration",
    "network:NetworkInterface",
    ({ place }) => ({ ...place }),
    "must have at least one IP configuration.",
  ],
  [
    "an address that another card has",
    "network:NetworkInterface",
    (w) => ({
      ...w.place,
      ipConfigurations: [{ name: "one", subnet: { id: w.subnet.id }, publicIPAddress: { id: w.address.id } }],
    }),
    `Code="PublicIPAddressInUse"`,
  ],
  [
    "a card in another region than its subnet",
    "network:NetworkInterface",
    (w) => ({ ...w.place, location: "northeurope", ipConfigurations: [{ name: "one", subnet: { id: w.subnet.id } }] }),
    NOT_FOUND,
  ],
  [
    "a rule without a name",
    "network:NetworkSecurityGroup",
    ({ place }) => ({ ...place, networkSecurityGroupName: "nsg2", securityRules: [rule({ name: undefined })] }),
    "A security rule needs a name.",
  ],
];

tellRefusals({ checked, refused });
