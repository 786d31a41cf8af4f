import type { Cloud, CloudResource } from "../cloud";
import { textAt, valuesAt } from "../provider/arm";

/** Where a request comes from, as Azure's services see it. */
export interface Origin {
  /** The public IPv4 address. */
  readonly address: string;
  /** The subnet that the client is in, or is brought to by a VPN. */
  readonly subnetId: string | undefined;
}

/** Of a machine that is known to have no way out: nobody's, kept for documentation. */
const NOWHERE = "198.51.100.254";

/** @param via `workstation`, or a machine's id, as the request log has it */
export function originOf(cloud: Cloud, via: string): Origin {
  if (via === "workstation") return cloud.workstation;
  const [card] = valuesAt(cloud.get(via)?.properties, "networkProfile.networkInterfaces[].id");
  const [configuration] = valuesAt(cloud.get(`${card?.value}`)?.properties, "ipConfigurations[].properties");
  const subnetId = textAt(configuration?.value, "subnet.id");
  const own = cloud.get(textAt(configuration?.value, "publicIPAddress.id") ?? "");
  const address = addressOf(own) ?? addressOf(gatewayAddress(cloud, subnetId)) ?? NOWHERE;
  return { address, subnetId };
}

function gatewayAddress(cloud: Cloud, subnetId = ""): CloudResource | undefined {
  const gateway = cloud.get(textAt(cloud.get(subnetId)?.properties, "natGateway.id") ?? "");
  const [address] = valuesAt(gateway?.properties, "publicIpAddresses[].id");
  return cloud.get(`${address?.value}`);
}

function addressOf(address: CloudResource | undefined): string | undefined {
  return textAt(address?.properties, "ipAddress");
}
