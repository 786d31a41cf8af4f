import type { ResourceKind } from "../resource-kind";
import { accessPolicy } from "./access-policy";
import { roleAssignment, roleDefinition } from "./authorization";
import { disk } from "./disk";
import { gallery, galleryImage, galleryImageVersion } from "./gallery";
import { image } from "./image";
import { key } from "./key";
import { userAssignedIdentity } from "./managed-identity";
import { diagnosticSetting, workspace } from "./monitor";
import { natGateway, networkSecurityGroup, publicIpAddress } from "./network-edge";
import { networkInterface } from "./network-interface";
import { privateZone, virtualNetworkLink } from "./private-dns";
import { privateDnsZoneGroup, privateEndpoint } from "./private-endpoint";
import { resourceGroup } from "./resources";
import { blobContainer, storageAccount } from "./storage";
import { vault } from "./vault";
import { virtualMachine } from "./virtual-machine";
import { subnet, virtualNetwork } from "./virtual-network";

/** Every type of azure-native that the rehearsal knows. */
export const kinds: readonly ResourceKind[] = [
  accessPolicy,
  blobContainer,
  diagnosticSetting,
  disk,
  gallery,
  galleryImage,
  galleryImageVersion,
  image,
  key,
  natGateway,
  networkInterface,
  networkSecurityGroup,
  privateDnsZoneGroup,
  privateEndpoint,
  privateZone,
  publicIpAddress,
  resourceGroup,
  roleAssignment,
  roleDefinition,
  storageAccount,
  subnet,
  userAssignedIdentity,
  vault,
  virtualMachine,
  virtualNetwork,
  virtualNetworkLink,
  workspace,
];
