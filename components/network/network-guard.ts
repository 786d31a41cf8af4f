import type * as pulumi from "@pulumi/pulumi";

/** What has a private endpoint, by the name that Azure has for that part of it. */
export type Guarded = "blob" | "vault";

/** Who reaches a vault or an account. */
export interface NetworkGuard {
  /** IPv4 networks in CIDR notation. */
  readonly allow: readonly string[];
  /** Subnets whose own endpoints for the service are let through. */
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly publicAccess: "off" | "on";
  /**
   * Leads the network's names for a resource to a private endpoint of it.
   * @returns what has to be there before it is reached that way; nothing where endpoints are not wanted
   */
  connect(parent: pulumi.Resource, name: string, kind: Guarded, targetId: pulumi.Input<string>): pulumi.Resource[];
}

/** A vault's rules; without a guard its public endpoint is everybody's, and policies alone say who may do what. */
export function vaultNetwork(guard: NetworkGuard | undefined) {
  if (guard === undefined) return { publicNetworkAccess: "enabled" };
  const { allow, publicAccess, subnetIds } = guard;
  return {
    publicNetworkAccess: publicAccess === "on" ? "enabled" : "disabled",
    networkAcls: {
      bypass: "None",
      defaultAction: "Deny",
      ipRules: allow.map((value) => ({ value })),
      virtualNetworkRules: subnetIds.map((id) => ({ id })),
    },
  };
}

/**
 * An account's rules. Azure's own services stay let in: one of them makes the image of the uploaded disk. Single addresses
 * are written without a size: https://learn.microsoft.com/azure/storage/common/storage-network-security
 */
export function accountNetwork(guard: NetworkGuard | undefined) {
  // Said, as Azure keeps an account's rules where none are given.
  if (guard === undefined)
    return { publicNetworkAccess: "Enabled", networkRuleSet: { defaultAction: "Allow" as const } };
  const { allow, publicAccess, subnetIds } = guard;
  return {
    publicNetworkAccess: publicAccess === "on" ? "Enabled" : "Disabled",
    networkRuleSet: {
      bypass: "AzureServices",
      defaultAction: "Deny" as const,
      ipRules: allow
        .flatMap(addressesOrRange)
        .map((iPAddressOrRange) => ({ iPAddressOrRange, action: "Allow" as const })),
      virtualNetworkRules: subnetIds.map((virtualNetworkResourceId) => ({
        virtualNetworkResourceId,
        action: "Allow" as const,
      })),
    },
  };
}

/** Azure takes no ranges of one or two addresses. */
function addressesOrRange(network: string): string[] {
  const [address = "", bits] = network.split("/");
  if (bits === "32") return [address];
  return bits === "31" ? [address, address.replace(/\d+$/, (last) => `${Number(last) + 1}`)] : [network];
}
