import { type Cloud, createCloud } from "../cloud";
import { sameKeys } from "../entra/rsa-key";
import { simulatedAzureNative } from "./azure-native";
import type { PropertyMap } from "./values";

/** An Ed25519 public key in OpenSSH's form that nobody has the other half of. */
export const SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

/** A fixed VHD's footer, right in every way. */
export function vhdFooter(diskBytes: number): Buffer {
  const footer = Buffer.alloc(512);
  footer.write("conectix", 0, "latin1");
  footer.writeBigUInt64BE(BigInt(diskBytes), 48);
  footer.writeUInt32BE(2, 60);
  footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
  return footer;
}

export interface FakeBlob {
  type: "PageBlob" | "BlockBlob";
  size: number;
  /** Its last 512 bytes. */
  footer: Buffer;
}

const MIB = 1_048_576;
const generateKey = sameKeys();

export function goodBlob(): FakeBlob {
  return { type: "PageBlob", size: MIB + 512, footer: vhdFooter(MIB) };
}

/** A subscription with one of everything, made through the provider. */
export async function makeWorld(cloud: Cloud = createCloud({ generateKey })) {
  const me = cloud.directory.addApplication({ displayName: "me" });
  const azure = simulatedAzureNative({ cloud, principal: me, location: "westeurope" });
  const blobs = new Map<string, FakeBlob>([["https://account1.blob.core.windows.net/images/good.vhd", goodBlob()]]);
  cloud.attachBlobs({
    async properties(url) {
      const blob = blobs.get(url);
      return blob && { type: blob.type, size: blob.size, metadata: {}, isLeased: false };
    },
    read: async (url) => blobs.get(url)?.footer ?? Buffer.alloc(0),
    written: async () => [],
  });

  async function check(token: string, inputs: PropertyMap, olds?: PropertyMap) {
    const type = `azure-native:${token}`;
    const urn = `urn:pulumi:dev::demo::${type}::it`;
    const seed = new Uint8Array(32).fill(10);
    return { urn, type, ...(await azure.check({ urn, type, name: "it", olds, news: inputs, randomSeed: seed })) };
  }

  /** Checks and makes it; throws the check's reasons or Azure's error. */
  async function create(token: string, inputs: PropertyMap) {
    const { urn, type, inputs: checked, failures } = await check(token, inputs);
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    const made = await azure.create({ urn, type, name: "it", inputs: checked, preview: false });
    return { ...made, urn, type, inputs: checked };
  }
  type Made = Awaited<ReturnType<typeof create>>;

  async function update(made: Made, change: PropertyMap) {
    const { urn, type, id, inputs: oldInputs, outputs: oldOutputs } = made;
    const news = { ...oldInputs, ...change };
    const { inputs, failures } = await check(type.slice("azure-native:".length), news, oldInputs);
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    const diff = await azure.diff({ id, urn, type, oldInputs, oldOutputs, news: inputs });
    const outputs = await azure.update({ urn, type, name: "it", id, inputs, oldInputs, oldOutputs, preview: false });
    return { diff, outputs };
  }

  const remove = ({ id, urn, type, inputs, outputs }: Made) => azure.delete({ id, urn, type, inputs, outputs });

  const resourceGroupName = "group1";
  const place = { resourceGroupName };
  const tenantId = cloud.tenantId;
  const group = await create("resources:ResourceGroup", { resourceGroupName });
  const vault = await create("keyvault:Vault", {
    ...place,
    vaultName: "vault1",
    properties: { tenantId, sku: { family: "A", name: "standard" } },
  });
  const key = await create("keyvault:Key", {
    ...place,
    vaultName: "vault1",
    keyName: "key1",
    properties: { kty: "RSA", keySize: 2048 },
  });
  const identity = await create("managedidentity:UserAssignedIdentity", { ...place, resourceName: "identity1" });
  const account = await create("storage:StorageAccount", {
    ...place,
    accountName: "account1",
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
  });
  const firewall = await create("network:NetworkSecurityGroup", { ...place, networkSecurityGroupName: "nsg1" });
  const network = await create("network:VirtualNetwork", {
    ...place,
    virtualNetworkName: "vnet1",
    addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
  });
  const subnet = await create("network:Subnet", {
    ...place,
    virtualNetworkName: "vnet1",
    subnetName: "subnet1",
    addressPrefix: "10.0.0.0/28",
    networkSecurityGroup: { id: firewall.id },
  });
  const address = await create("network:PublicIPAddress", {
    ...place,
    publicIpAddressName: "ip1",
    publicIPAllocationMethod: "Static",
    sku: { name: "Standard" },
  });
  const configuration = { name: "one", subnet: { id: subnet.id }, publicIPAddress: { id: address.id } };
  const card = await create("network:NetworkInterface", {
    ...place,
    networkInterfaceName: "nic1",
    ipConfigurations: [configuration],
  });
  const blobUri = "https://account1.blob.core.windows.net/images/good.vhd";
  const image = await create("compute:Image", {
    ...place,
    imageName: "image1",
    hyperVGeneration: "V2",
    storageProfile: { osDisk: { osType: "Linux", osState: "Generalized", blobUri } },
  });
  const gallery = await create("compute:Gallery", { ...place, galleryName: "gallery1" });
  const definition = await create("compute:GalleryImage", {
    ...place,
    galleryName: "gallery1",
    galleryImageName: "definition1",
    osType: "Linux",
    osState: "Generalized",
    hyperVGeneration: "V2",
    identifier: { publisher: "p", offer: "o", sku: "s" },
  });

  /** A machine that Azure takes; `change` is merged over its top-level inputs. */
  function machine(change: PropertyMap = {}): PropertyMap {
    return {
      ...place,
      vmName: "vm1",
      hardwareProfile: { vmSize: "Standard_B2s" },
      storageProfile: {
        imageReference: { id: image.id },
        osDisk: { createOption: "FromImage", deleteOption: "Delete" },
      },
      networkProfile: { networkInterfaces: [{ id: card.id, primary: true }] },
      osProfile: login(),
      ...change,
    };
  }

  function login(change: PropertyMap = {}): PropertyMap {
    const publicKeys = [{ path: "/home/operator/.ssh/authorized_keys", keyData: SSH_KEY }];
    return {
      adminUsername: "operator",
      computerName: "vm1",
      linuxConfiguration: { disablePasswordAuthentication: true, ssh: { publicKeys } },
      ...change,
    };
  }

  const made = {
    group,
    vault,
    key,
    identity,
    account,
    firewall,
    network,
    subnet,
    address,
    card,
    image,
    gallery,
    definition,
  };
  return { azure, cloud, me, blobs, blobUri, place, tenantId, check, create, update, remove, machine, login, ...made };
}

export type World = Awaited<ReturnType<typeof makeWorld>>;

/** Inputs of a managed image of this blob. */
export function imageOf(blobUri: string): (world: World) => PropertyMap {
  return ({ place }) => {
    const osDisk = { osType: "Linux", osState: "Generalized", blobUri };
    return { ...place, imageName: "image2", hyperVGeneration: "V2", storageProfile: { osDisk } };
  };
}
