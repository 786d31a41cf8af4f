import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_MACHINE } from "../../../components/vm/machine";
import { OnionVm, type OnionVmArgs } from "../../../components/vm/onion-vm";
import { type ProjectFolder, projectFolder, sealedContent } from "../project-folder";
import { CLIENT, CLIENT_ID, find, GROUP_ID, PRINCIPAL_ID, resolved, settled, startMocks } from "../pulumi-mocks";

const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8+mCR+MEsv0XYi7ohvdKLbDecBtb3uKGQOPfIhdj3C";
const IMAGE_ID = `${GROUP_ID}/images/dev`;
const IDENTITY_ID = `${GROUP_ID}/identities/dev`;
const PLACE = { resourceGroupName: "sealed-onion-dev", location: "westeurope" };

async function make(args: Partial<OnionVmArgs> = {}) {
  const registrations = await startMocks();
  const vm = new OnionVm("vm", {
    stack: "dev",
    ...PLACE,
    imageId: IMAGE_ID,
    identity: {
      id: pulumi.output(IDENTITY_ID),
      clientId: pulumi.output(CLIENT_ID),
      principalId: pulumi.output(PRINCIPAL_ID),
    },
    ready: [],
    userDataSecrets: undefined,
    images: { containerUrl: "https://account.blob.core.windows.net/images", current: "dev-0.vhd", keep: 2 },
    status: undefined,
    ...DEFAULT_MACHINE,
    sshPublicKey: PUBLIC_KEY,
    ...args,
  });
  await settled();
  return { vm, registrations, machine: find(registrations, "vm-machine") };
}

describe("an onion VM", () => {
  it("boots the image with the identity, one card, and nobody's password", async () => {
    const { machine, vm } = await make();
    expect(machine.inputs).toEqual({
      ...PLACE,
      vmName: "sealed-onion-dev-abcd1234",
      hardwareProfile: { vmSize: "Standard_B2s" },
      identity: { type: "UserAssigned", userAssignedIdentities: [IDENTITY_ID] },
      networkProfile: { networkInterfaces: [{ id: `${GROUP_ID}/vm-card`, primary: true, deleteOption: "Detach" }] },
      osProfile: {
        computerName: "sealed-onion-dev",
        adminUsername: "operator",
        allowExtensionOperations: false,
        linuxConfiguration: {
          disablePasswordAuthentication: true,
          provisionVMAgent: false,
          ssh: { publicKeys: [{ path: "/home/operator/.ssh/authorized_keys", keyData: PUBLIC_KEY }] },
        },
      },
      storageProfile: {
        imageReference: { id: IMAGE_ID },
        osDisk: {
          createOption: "FromImage",
          deleteOption: "Delete",
          caching: "ReadWrite",
          managedDisk: { storageAccountType: "StandardSSD_LRS" },
        },
      },
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
    });
    expect(await resolved(vm.vmId)).toBe(`${GROUP_ID}/vm-machine`);
  });

  it("is replaced when its image or its login changes, by one that is made before it goes", async () => {
    const { machine, registrations } = await make();
    expect(machine.options.replaceOnChanges).toEqual([
      "storageProfile.imageReference",
      "osProfile",
      "storageProfile.osDisk.diffDiskSettings",
      "storageProfile.osDisk.managedDisk",
      "storageProfile.osDisk.diskSizeGB",
      "storageProfile.diskControllerType",
      "securityProfile",
      "priority",
      "zones",
    ]);
    for (const name of ["vm-machine", "vm-card", "vm-address"])
      expect(find(registrations, name).options.deleteBeforeReplace).toBe(false);
  });

  it("has other names, as its card and its address have, exactly where another machine is needed", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vm-generation").inputs).toMatchObject({
      keepers: {
        imageId: IMAGE_ID,
        ephemeralOsDisk: "false",
        adminUser: "operator",
        sshPublicKey: PUBLIC_KEY,
        location: "westeurope",
      },
    });
    const named = ["vmName", "networkInterfaceName", "publicIpAddressName"];
    const names = ["vm-machine", "vm-card", "vm-address"].map((name, index) => {
      return find(registrations, name).inputs[named[index] ?? ""];
    });
    expect(names).toEqual(names.map(() => "sealed-onion-dev-abcd1234"));
  });

  it("goes before the next one is made where it has a data disk, which stays", async () => {
    const { machine, registrations } = await make({ dataDisk: { sizeGib: 32, type: "StandardSSD_LRS" }, zones: [2] });
    const disk = find(registrations, "vm-data");
    expect(disk.inputs).toEqual({
      ...PLACE,
      diskName: "sealed-onion-dev-data",
      creationData: { createOption: "Empty" },
      diskSizeGB: 32,
      sku: { name: "StandardSSD_LRS" },
      networkAccessPolicy: "DenyAll",
      publicNetworkAccess: "Disabled",
      zones: ["2"],
    });
    expect(disk.options).toMatchObject({ retainOnDelete: true });
    expect(machine.options).toMatchObject({ deleteBeforeReplace: true });
    expect(machine.inputs.storageProfile).toMatchObject({
      dataDisks: [
        {
          lun: 0,
          createOption: "Attach",
          deleteOption: "Detach",
          managedDisk: { id: expect.stringMatching(/vm-data$/) },
        },
      ],
    });
    expect((await make()).machine.options).toMatchObject({ deleteBeforeReplace: false });
  });

  it("waits for its image and for the right to open its secrets", async () => {
    await startMocks();
    const policy = new RandomString("policy", { length: 8 });
    const { machine } = await make({ ready: [policy] });
    expect(machine.options.dependsOn).toContain("policy");
  });

  it("removes images that nobody needs any more, once it runs", async () => {
    const { registrations } = await make();
    const prune = find(registrations, "vm-prune");
    expect(prune.inputs).toEqual({
      create: "exec node components/start/run.mjs prune-images",
      update: "exec node components/start/run.mjs prune-images",
      environment: {
        STACK: "dev",
        CONTAINER_URL: "https://account.blob.core.windows.net/images",
        CURRENT: "dev-0.vhd",
        KEEP: "2",
      },
      logging: "stderr",
    });
    expect(prune.options.dependsOn).toContain("vm-machine");
  });
});

describe("a machine that tells how it is", () => {
  const status = () => ({
    account: {
      id: pulumi.output(`${GROUP_ID}/accounts/sodev`),
      name: pulumi.output("sodev"),
      groupName: pulumi.output("sealed-onion-dev"),
      endpoint: pulumi.output("https://sodev.blob.core.windows.net"),
    },
    subscriptionId: CLIENT.subscriptionId,
  });

  it("has a container of its own to write to, and a right to that one alone", async () => {
    const { machine, registrations } = await make({ status: status() });
    expect(find(registrations, "vm-status").inputs).toMatchObject({
      resourceGroupName: "sealed-onion-dev",
      accountName: "sodev",
      containerName: "status",
      publicAccess: "None",
    });
    expect(find(registrations, "vm-status-writer").inputs).toMatchObject({
      scope: `${GROUP_ID}/vm-status`,
      principalId: PRINCIPAL_ID,
      principalType: "ServicePrincipal",
      roleDefinitionId: expect.stringMatching(/ba92f5b4-2d11-453d-a403-e96b0029c9fe$/),
    });
    expect(machine.options.dependsOn).toContain("vm-status-writer");
  });

  it("has to serve before anything else goes on, so before the one before it goes", async () => {
    const { registrations } = await make({ status: status() });
    const serving = find(registrations, "vm-serving");
    expect(serving.inputs).toEqual({
      create: "exec node components/start/run.mjs await-machine",
      update: "exec node components/start/run.mjs await-machine",
      environment: {
        CONTAINER_URL: "https://sodev.blob.core.windows.net/status",
        MACHINE: "vm-machine",
        PATIENCE: "900",
      },
      logging: "stderr",
    });
    expect(find(registrations, "vm-prune").options.dependsOn).toContain("vm-serving");
  });
});

describe("its network", () => {
  it("lets nothing in", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vm-firewall").inputs).toEqual({
      ...PLACE,
      networkSecurityGroupName: "sealed-onion-dev",
      securityRules: [
        {
          name: "deny-all-inbound",
          description: "An onion service dials out: nothing has to come in",
          priority: 4096,
          direction: "Inbound",
          access: "Deny",
          protocol: "*",
          sourceAddressPrefix: "*",
          sourcePortRange: "*",
          destinationAddressPrefix: "*",
          destinationPortRange: "*",
        },
      ],
    });
  });

  it("has no gateway where nobody asked for it", async () => {
    const { registrations } = await make();
    expect(registrations.map(({ type }) => type)).not.toContain("azure-native:network:NatGateway");
  });

  it("is made of names that are taken while it stands: what is replaced goes first", async () => {
    const { registrations } = await make({ outbound: "natGateway" });
    const network = registrations.filter(({ name, type }) => {
      return type.startsWith("azure-native:network:") && name !== "vm-card";
    });
    expect(network.map(({ options }) => options.deleteBeforeReplace)).toEqual(network.map(() => true));
  });
});

describe("its dials", () => {
  it("vmSize, adminUser and sshPublicKey are passed on", async () => {
    const { machine } = await make({ vmSize: "Standard_D2ds_v5", adminUser: "alice" });
    expect(machine.inputs).toMatchObject({
      hardwareProfile: { vmSize: "Standard_D2ds_v5" },
      osProfile: {
        adminUsername: "alice",
        linuxConfiguration: { ssh: { publicKeys: [{ path: "/home/alice/.ssh/authorized_keys" }] } },
      },
    });
  });

  it("ephemeralOsDisk keeps the OS disk on the host", async () => {
    const { machine } = await make({ ephemeralOsDisk: true });
    expect(machine.inputs.storageProfile).toEqual({
      imageReference: { id: IMAGE_ID },
      osDisk: {
        createOption: "FromImage",
        deleteOption: "Delete",
        caching: "ReadOnly",
        diffDiskSettings: { option: "Local" },
        managedDisk: { storageAccountType: "Standard_LRS" },
      },
    });
  });
});

describe("sealed files in its user data", () => {
  let project: ProjectFolder;
  beforeEach(() => {
    project = projectFolder();
  });
  afterEach(() => project.remove());

  it("are there where that is asked for, sealed as they are on disk", async () => {
    const sealed = { token: project.seal("dev", "token"), "onion-key": project.seal("dev", "onion-key") };
    const { machine } = await make({ userDataSecrets: sealed });
    expect(JSON.parse(Buffer.from(`${machine.inputs.userData}`, "base64").toString())).toEqual({
      version: 1,
      secrets: { "onion-key": JSON.parse(sealedContent("onion-key")), token: JSON.parse(sealedContent("token")) },
    });
  });

  it("change the VM in place, with no replacement", async () => {
    const { machine } = await make({ userDataSecrets: {} });
    expect(machine.options.replaceOnChanges.some((path) => path.startsWith("userData"))).toBe(false);
  });

  it("are not there otherwise", async () => {
    const { machine } = await make();
    expect(machine.inputs).not.toHaveProperty("userData");
  });
});
