import type { Guarded } from "../../network/admission";
import { hasServiceEndpoint } from "../../network/admission";
import { parseId, refuse, textAt, valuesAt } from "../arm";
import type { Situation } from "../resource-kind";
import { holds, parseNetwork } from "./addresses";

export const VAULT_NETWORK: Guarded = { group: "vault", service: "Microsoft.KeyVault" };
export const BLOB_NETWORK: Guarded = { group: "blob", service: "Microsoft.Storage" };

/** Ranges that are in no firewall rule, as they are on no public network. */
const PRIVATE: readonly (readonly [range: string, what: string])[] = [
  ["10.0.0.0/8", "10.0.0.0-10.255.255.255"],
  ["172.16.0.0/12", "172.16.0.0-172.31.255.255"],
  ["192.168.0.0/16", "192.168.0.0-192.168.255.255"],
];

const networkOf = (rule: string) => parseNetwork(rule.includes("/") ? rule : `${rule}/32`);

function privateRange(rule: string): string | undefined {
  const network = networkOf(rule);
  return PRIVATE.find(([range]) => {
    const outer = parseNetwork(range);
    return outer !== undefined && network !== undefined && holds(outer, network);
  })?.[1];
}

/** Subnets have to be there, and to have an endpoint for the service. */
function subnetFault({ cloud, wanted }: Situation, service: string): string | undefined {
  for (const { value } of valuesAt(wanted.properties, "networkAcls.virtualNetworkRules[].id")) {
    const { names = {} } = parseId(`${value}`) ?? {};
    const network = `${value}`.split("/").slice(0, -2).join("/");
    const found = cloud.get(`${value}`);
    if (found === undefined)
      return `SubnetsNotFound:Subnets ${names.subnets} of virtual network ${network} were not found`;
    if (hasServiceEndpoint(found, service)) continue;
    return `SubnetsHaveNoServiceEndpointsConfigured:Subnets ${names.subnets} of virtual network ${network} do not have ServiceEndpoints for ${service} resources configured. Add ${service} to subnet's ServiceEndpoints collection before trying to ACL ${service} resources to these subnets.`;
  }
  return undefined;
}

/** Wording: terraform-provider-azurerm issues 11759 (vault) and New-AzKeyVault's own. */
export function checkVaultNetwork(situation: Situation): void {
  const { properties } = situation.wanted;
  for (const [index, { value }] of valuesAt(properties, "networkAcls.ipRules[].value").entries()) {
    const path = `properties.networkAcls.ipRules[${index}].value`;
    if (networkOf(`${value}`) === undefined)
      refuse(400, "BadRequest", `Invalid value found at ${path}: ${value} is not a valid IPv4 address or CIDR block`);
    const range = privateRange(`${value}`);
    if (range !== undefined)
      refuse(
        400,
        "BadRequest",
        `Invalid value found at ${path}: ${value} belongs to forbidden range ${range} (private IP addresses)`,
      );
  }
  const fault = subnetFault(situation, VAULT_NETWORK.service);
  if (fault === undefined) return;
  const [code, ...message] = fault.split(":");
  refuse(
    400,
    "VirtualNetworkOperationFailed",
    `Operation on Virtual Network could not be performed. StatusCode: 400 (BadRequest). Error Code: ${code}. Error Message: ${message.join(":")}.`,
  );
}

/** Wording: terraform-provider-azurerm issue 16547; single addresses and /30 or larger: storage-network-security. */
export function checkAccountNetwork(situation: Situation): void {
  const { properties } = situation.wanted;
  for (const { value } of valuesAt(properties, "networkAcls.ipRules[].value")) {
    const isSmall = /\/3[12]$/.test(`${value}`);
    if (networkOf(`${value}`) !== undefined && !isSmall && privateRange(`${value}`) === undefined) continue;
    refuse(
      400,
      "InvalidValuesForRequestParameters",
      "Values for request parameters are invalid: networkAcls.ipRule[*].value. For more information, see - https://aka.ms/storagenetworkruleset",
    );
  }
  const fault = subnetFault(situation, BLOB_NETWORK.service);
  if (fault !== undefined) refuse(400, "NetworkAclsValidationFailure", `Validation of network acls failure: ${fault}.`);
}

/** Whether Azure's own services may read a blob whatever the firewall says. */
export function isOpenToAzure(properties: unknown): boolean {
  const isClosed = textAt(properties, "publicNetworkAccess")?.toLowerCase() === "disabled";
  const isGuarded = textAt(properties, "networkAcls.defaultAction")?.toLowerCase() === "deny";
  return (!isClosed && !isGuarded) || /AzureServices/i.test(textAt(properties, "networkAcls.bypass") ?? "");
}
