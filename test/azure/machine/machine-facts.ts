import { createHash } from "node:crypto";
import type { Cloud, CloudResource, Principal } from "../cloud";

/** What a machine's metadata says of it, read from the resources behind it at the time of asking. */
export interface MachineFacts {
  resource: CloudResource;
  subscriptionId: string;
  resourceGroupName: string;
  vmId: string;
  computerName: string;
  vmSize: string;
  adminUsername: string;
  publicKeys: { keyData: string; path: string }[];
  /** Base64, "" where there is none. */
  userData: string;
  privateIpAddress: string;
  publicIpAddress: string;
  macAddress: string;
}

interface VirtualMachineProperties {
  vmId?: string;
  userData?: string;
  hardwareProfile?: { vmSize?: string };
  osProfile?: {
    computerName?: string;
    adminUsername?: string;
    linuxConfiguration?: { ssh?: { publicKeys?: { keyData?: string; path?: string }[] } };
  };
  networkProfile?: { networkInterfaces?: { id: string }[] };
}

interface InterfaceProperties {
  macAddress?: string;
  ipConfigurations?: { properties?: { privateIPAddress?: string; publicIPAddress?: { id: string } } }[];
}

/** A GUID that is always the same for one text: for ids that the provider did not choose. */
export function stableGuid(text: string): string {
  const hex = createHash("sha256").update(text.toLowerCase()).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

function networkFacts(cloud: Cloud, interfaceId: string | undefined) {
  const properties = (interfaceId && cloud.get(interfaceId)?.properties) as InterfaceProperties | undefined;
  const configuration = properties?.ipConfigurations?.[0]?.properties;
  const publicId = configuration?.publicIPAddress?.id;
  const publicAddress = publicId === undefined ? undefined : cloud.get(publicId)?.properties.ipAddress;
  return {
    privateIpAddress: configuration?.privateIPAddress ?? "10.0.0.4",
    publicIpAddress: typeof publicAddress === "string" ? publicAddress : "",
    macAddress: (properties?.macAddress ?? "000D3A000004").replaceAll(/[-:]/g, ""),
  };
}

/** Throws where the machine is no longer in the cloud. */
export function machineFacts(cloud: Cloud, id: string): MachineFacts {
  const resource = cloud.get(id);
  if (resource === undefined) throw new Error(`no virtual machine ${id} in this cloud`);
  const properties = resource.properties as VirtualMachineProperties;
  const { osProfile } = properties;
  const keys = osProfile?.linuxConfiguration?.ssh?.publicKeys ?? [];
  const [, subscriptionId = "", resourceGroupName = ""] =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\//i.exec(resource.id) ?? [];
  return {
    resource,
    subscriptionId,
    resourceGroupName,
    vmId: properties.vmId ?? stableGuid(resource.id),
    computerName: osProfile?.computerName ?? resource.name,
    vmSize: properties.hardwareProfile?.vmSize ?? "",
    adminUsername: osProfile?.adminUsername ?? "",
    publicKeys: keys.map((key) => ({ keyData: key.keyData ?? "", path: key.path ?? "" })),
    userData: properties.userData ?? "",
    ...networkFacts(cloud, properties.networkProfile?.networkInterfaces?.[0]?.id),
  };
}

/** The identities attached to a machine: its own first. One whose resource is gone is no longer there. */
export function attachedIdentities(cloud: Cloud, id: string): { system?: Principal; assigned: Principal[] } {
  const ids = Object.keys(cloud.get(id)?.identity?.userAssignedIdentities ?? {});
  const assigned = ids.map((one) => cloud.directory.managedIdentity(one)).filter((one) => one !== undefined);
  const system = cloud.directory.systemIdentity(id);
  return { ...(system && { system }), assigned };
}
