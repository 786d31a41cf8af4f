import type { PropertyMap } from "../values";
import { SSH_KEY, type World } from "../world";
import { type Row, tellRefusals } from "./table";

function ephemeral(vmSize: string, change: PropertyMap = {}): (world: World) => PropertyMap {
  const osDisk = { createOption: "FromImage", caching: "ReadOnly", diffDiskSettings: { option: "Local" }, ...change };
  return ({ machine, image }) =>
    machine({ hardwareProfile: { vmSize }, storageProfile: { imageReference: { id: image.id }, osDisk } });
}

const checked: Row[] = [
  [
    "a machine's name with an underscore",
    "compute:VirtualMachine",
    ({ machine }) => machine({ vmName: "a_b" }),
    `'vmName' must be 1-64 letters, digits, periods and hyphens, a letter or digit at both ends, got "a_b"`,
  ],
  [
    "a machine without a size",
    "compute:VirtualMachine",
    ({ machine }) => machine({ hardwareProfile: undefined }),
    "missing required property 'hardwareProfile'",
  ],
  [
    "a disk that is made in no way",
    "compute:VirtualMachine",
    ({ machine, image }) => machine({ storageProfile: { imageReference: { id: image.id }, osDisk: {} } }),
    "missing required property 'storageProfile.osDisk.createOption'",
  ],
  [
    "identities as a map",
    "compute:VirtualMachine",
    ({ machine, identity }) =>
      machine({ identity: { type: "UserAssigned", userAssignedIdentities: { [identity.id]: {} } } }),
    "'identity.userAssignedIdentities' should be of type 'array of strings' but got object",
  ],
];

const refused: Row[] = [
  [
    "a machine of an unknown size",
    "compute:VirtualMachine",
    ({ machine }) => machine({ hardwareProfile: { vmSize: "Standard_Huge" } }),
    "The value Standard_Huge provided for the VM size is not valid.",
  ],
  [
    "a Gen2 image on a Gen1 size",
    "compute:VirtualMachine",
    ({ machine }) => machine({ hardwareProfile: { vmSize: "Standard_A1_v2" } }),
    "The selected VM size 'Standard_A1_v2' cannot boot Hypervisor Generation '2'.",
  ],
  [
    "an image that is not there",
    "compute:VirtualMachine",
    ({ machine, image }) =>
      machine({ storageProfile: { imageReference: { id: `${image.id}x` }, osDisk: { createOption: "FromImage" } } }),
    `Status=404 Code="ImageNotFound"`,
  ],
  [
    "a machine in another region than its image",
    "compute:VirtualMachine",
    ({ machine }) => machine({ location: "northeurope", networkProfile: { networkInterfaces: [] } }),
    "is not available in northeurope region.",
  ],
  [
    "a machine without a card",
    "compute:VirtualMachine",
    ({ machine }) => machine({ networkProfile: { networkInterfaces: [] } }),
    "Virtual Machine must have at least one network interface",
  ],
  [
    "a machine with no way to log in",
    "compute:VirtualMachine",
    ({ machine, login }) =>
      machine({ osProfile: login({ linuxConfiguration: { disablePasswordAuthentication: true } }) }),
    "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
  ],
  [
    "a machine whose administrator is admin",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminUsername: "admin" }) }),
    "The Admin Username specified is not allowed: admin.",
  ],
  [
    "a key in another place",
    "compute:VirtualMachine",
    ({ machine, login }) =>
      machine({
        osProfile: login({
          linuxConfiguration: { ssh: { publicKeys: [{ path: "/root/.ssh/authorized_keys", keyData: SSH_KEY }] } },
        }),
      }),
    "Destination path for SSH public keys is currently limited to its default value /home/operator/.ssh/authorized_keys",
  ],
  [
    "a key that is none",
    "compute:VirtualMachine",
    ({ machine, login }) =>
      machine({
        osProfile: login({
          linuxConfiguration: {
            ssh: { publicKeys: [{ path: "/home/operator/.ssh/authorized_keys", keyData: "ssh-rsa AAAA" }] },
          },
        }),
      }),
    "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
  ],
  [
    "a short password",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminPassword: "short", linuxConfiguration: {} }) }),
    "must be between 12-72 characters long.",
  ],
  [
    "a password beside its ban",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminPassword: "long enough, surely" }) }),
    "'adminPassword' is not allowed with disablePasswordAuthentication.",
  ],
  [
    "a host name with a period",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ computerName: "a.b" }) }),
    "Linux host name 'a.b'",
  ],
  [
    "an ephemeral disk on a size without a cache",
    "compute:VirtualMachine",
    ephemeral("Standard_D2s_v5"),
    "The VM size 'Standard_D2s_v5' does not support ephemeral OS disks",
  ],
  [
    "an ephemeral disk larger than the cache",
    "compute:VirtualMachine",
    ephemeral("Standard_D2s_v3", { diskSizeGB: 64 }),
    "OS disk of Ephemeral VM with size greater than 50 GB is not allowed for VM size Standard_D2s_v3 when the DiffDiskPlacement is CacheDisk.",
  ],
  [
    "an ephemeral disk that is cached for writing",
    "compute:VirtualMachine",
    ephemeral("Standard_D2s_v3", { caching: "ReadWrite" }),
    "'osDisk.caching' must be 'ReadOnly' for an ephemeral OS disk.",
  ],
  [
    "an identity of no kind",
    "compute:VirtualMachine",
    ({ machine, identity }) => machine({ identity: { type: "None", userAssignedIdentities: [identity.id] } }),
    "Identity type 'None' does not fit 1 user-assigned identities.",
  ],
  [
    "an identity that is not there",
    "compute:VirtualMachine",
    ({ machine, identity }) =>
      machine({ identity: { type: "UserAssigned", userAssignedIdentities: [`${identity.id}x`] } }),
    `Code="FailedIdentityOperation"`,
  ],
  [
    "trusted launch of a managed image",
    "compute:VirtualMachine",
    ({ machine }) => machine({ securityProfile: { securityType: "TrustedLaunch" } }),
    "Use of TrustedLaunch setting is not supported for the provided managed image.",
  ],
  [
    "user data that is no base64",
    "compute:VirtualMachine",
    ({ machine }) => machine({ userData: "hello" }),
    "userData is not base64.",
  ],
  [
    "too much user data",
    "compute:VirtualMachine",
    ({ machine }) => machine({ userData: Buffer.alloc(65_536).toString("base64") }),
    "userData has more than 65535 bytes.",
  ],
  [
    "a disk of 4,096 GiB",
    "compute:VirtualMachine",
    ({ machine, image }) => {
      const osDisk = { createOption: "FromImage", diskSizeGB: 4096 };
      return machine({ storageProfile: { imageReference: { id: image.id }, osDisk } });
    },
    "The value '4096' of parameter 'osDisk.diskSizeGB' is out of range.",
  ],
  [
    "a machine without a host name",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ computerName: undefined }) }),
    "Required parameter 'computerName' is missing (null).",
  ],
  [
    "a machine without an administrator",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminUsername: undefined }) }),
    "Required parameter 'adminUsername' is missing (null).",
  ],
  [
    "a machine whose administrator has a space in the name",
    "compute:VirtualMachine",
    ({ machine, login }) => machine({ osProfile: login({ adminUsername: "a b" }) }),
    "The Admin Username 'a b' is not a valid Linux user name of 1-64 characters.",
  ],
  [
    "a machine without a profile",
    "compute:VirtualMachine",
    ({ machine }) => machine({ osProfile: undefined }),
    "Required parameter 'osProfile' is missing (null).",
  ],
];

tellRefusals({ checked, refused });
