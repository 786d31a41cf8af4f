import type { Cloud, CloudResource } from "../cloud";
import { textAt, valuesAt } from "../provider/arm";
import { holds, parseNetwork } from "../provider/kinds/addresses";
import { type Origin, originOf } from "./origin";
import { hasPrivateWay } from "./private-way";

/** What of a service is behind a firewall, and how networks are told of it. */
export interface Guarded {
  /** A private endpoint's group: `vault`, `blob`. */
  readonly group: string;
  /** What a subnet has an endpoint for: `Microsoft.KeyVault`. */
  readonly service: string;
}

/** Whether a request gets through, and by which way; or why it does not. */
export type Admission =
  | { readonly by: "address" | "private endpoint" | "public" | "subnet" }
  | { readonly refused: "connection" | "firewall"; readonly address: string };

/**
 * What a vault's or account's network rules say of a request. A private endpoint is used by those whose names lead there;
 * everybody else comes to the public endpoint, whose rules are about addresses and subnets.
 * Source: https://learn.microsoft.com/azure/key-vault/general/network-security, .../storage/common/storage-network-security
 */
export function admission(cloud: Cloud, resource: CloudResource, via: string, guarded: Guarded): Admission {
  const origin = originOf(cloud, via);
  if (hasPrivateWay(cloud, resource, origin.subnetId, guarded.group)) return { by: "private endpoint" };
  const { publicNetworkAccess } = resource.properties;
  if (`${publicNetworkAccess}`.toLowerCase() === "disabled") return { refused: "connection", address: origin.address };
  const rules = resource.properties.networkAcls;
  if (textAt(rules, "defaultAction")?.toLowerCase() !== "deny") return { by: "public" };
  if (isOfSubnet(cloud, rules, origin, guarded.service)) return { by: "subnet" };
  const isAllowed = valuesAt(rules, "ipRules[].value").some(({ value }) => covers(`${value}`, origin.address));
  return isAllowed ? { by: "address" } : { refused: "firewall", address: origin.address };
}

/** A subnet's own endpoint has to be there as well: without it a request comes with the public address. */
function isOfSubnet(cloud: Cloud, rules: unknown, { subnetId }: Origin, service: string): boolean {
  if (subnetId === undefined || !hasServiceEndpoint(cloud.get(subnetId), service)) return false;
  const allowed = valuesAt(rules, "virtualNetworkRules[].id");
  return allowed.some(({ value }) => `${value}`.toLowerCase() === subnetId.toLowerCase());
}

export function hasServiceEndpoint(subnet: CloudResource | undefined, service: string): boolean {
  const endpoints = valuesAt(subnet?.properties, "serviceEndpoints[].service");
  return endpoints.some(({ value }) => `${value}`.toLowerCase() === service.toLowerCase());
}

/** @param rule an address, or a network in CIDR notation */
function covers(rule: string, address: string): boolean {
  const network = parseNetwork(rule.includes("/") ? rule : `${rule}/32`);
  const own = parseNetwork(`${address}/32`);
  return network !== undefined && own !== undefined && holds(network, own);
}
