import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configure, said, startStack, type TestStack } from "./test-stack";

// Each of these is an update or two, with its preview.
vi.setConfig({ testTimeout: 180_000 });

const place = { resourceGroupName: "hub" };

let stack: TestStack;
beforeEach(async () => {
  stack = startStack();
  await stack.make("resources:ResourceGroup", { ...place, location: "westeurope" });
});
afterEach(() => stack.close());

async function makeVault(): Promise<string> {
  const { tenantId } = stack.cloud;
  const properties = { tenantId, sku: { family: "A", name: "standard" }, enableRbacAuthorization: true };
  return stack.make("keyvault:Vault", { ...place, vaultName: "hub-vault", properties });
}

function makeKey(change: object = {}): Promise<string> {
  const properties = { kty: "RSA", keySize: 2048, keyOps: ["encrypt", "decrypt"], ...change };
  return stack.make("keyvault:Key", { ...place, vaultName: "hub-vault", keyName: "sealing", properties });
}

function makeAccount(change: object = {}): Promise<string> {
  const common = { ...place, accountName: "hubaccount", kind: "StorageV2", sku: { name: "Standard_LRS" } };
  return stack.make("storage:StorageAccount", { ...common, ...change });
}

async function makeSubnet(change: object = {}, location = "westeurope"): Promise<string> {
  const network = { ...place, location, virtualNetworkName: "hub-network" };
  await stack.make("network:VirtualNetwork", { ...network, addressSpace: { addressPrefixes: ["10.9.0.0/16"] } });
  const subnet = { ...place, virtualNetworkName: "hub-network", subnetName: "onions", addressPrefix: "10.9.1.0/24" };
  return stack.make("network:Subnet", { ...subnet, ...change });
}

/** What of `hub` there is, as it is. */
const hub = () => stack.cloud.list({ under: `/subscriptions/${stack.cloud.subscriptionId}/resourceGroups/hub` });

async function up(settings: Readonly<Record<string, unknown>>): Promise<string[]> {
  await stack.engine.setConfig(configure(settings));
  return said(stack.engine);
}

async function problem(settings: Readonly<Record<string, unknown>>): Promise<string> {
  await stack.engine.setConfig(configure(settings));
  const error: unknown = await stack.engine.preview().catch((refused: unknown) => refused);
  expect(stack.cloud.list({ type: "Microsoft.Resources/resourceGroups" }).map(({ name }) => name)).toEqual(["hub"]);
  return `${(error as Error).message}`;
}

describe("what somebody else made", () => {
  it("is used by a whole stack, and is as it was once the stack is gone", async () => {
    const vault = await makeVault();
    const existing = {
      resourceGroup: "hub",
      vault,
      key: await makeKey(),
      identity: await stack.make("managedidentity:UserAssignedIdentity", { ...place, resourceName: "hub-identity" }),
      storageAccount: await makeAccount(),
      gallery: await stack.make("compute:Gallery", { ...place, galleryName: "hub_gallery" }),
      subnet: await makeSubnet(),
    };
    const before = hub();
    const settings = { existing, authorization: "rbac", outbound: "subnet", image: { publish: "gallery" } };
    const made = (await up(settings)).map((change) => change.replace("create ", ""));
    expect(made).toEqual([
      ...["image-build", "image-container", "image-definition", "image-sealer-blobs", "image-upload", "image-version"],
      ...["onion-key-seal", "token-seal", "vault-fingerprint-key", "vault-machine-assignment", "vault-machine-role"],
      ...["vault-sealer-assignment", "vault-sealer-role", "vault-suffix", "vm-card", "vm-firewall", "vm-generation"],
      ...["vm-machine", "vm-prune"],
    ]);
    expect(await stack.engine.outputs()).toMatchObject({ vaultUri: "https://hub-vault.vault.azure.net/" });
    const cards = stack.cloud.list({ type: "Microsoft.Network/networkInterfaces" });
    expect(cards[0]?.properties).toMatchObject({
      networkSecurityGroup: { id: expect.stringContaining("networkSecurityGroups/sealed-onion-dev") },
      ipConfigurations: [{ properties: { subnet: { id: existing.subnet } } }],
    });
    expect(stack.cloud.list({ type: "Microsoft.Network/publicIPAddresses" })).toEqual([]);
    expect(await up(settings)).toEqual([]);
    await stack.engine.destroy();
    expect(hub()).toEqual(before);
  });

  it("is a workspace for who asked the stack's own vault and account for what", async () => {
    const workspace = await stack.make("operationalinsights:Workspace", { ...place, workspaceName: "hub-logs" });
    const made = await up({ existing: { workspace } });
    expect(made.filter((change) => change.endsWith("-logs"))).toEqual(["create image-logs", "create vault-logs"]);
    const settings = stack.cloud.list({ type: "Microsoft.Insights/diagnosticSettings" });
    const logged = settings.map(({ properties }) => [properties.workspaceId, properties.logs]);
    const categories = (...names: string[]) => names.map((category) => ({ category, enabled: true }));
    expect(logged).toEqual(
      expect.arrayContaining([
        [workspace, categories("AuditEvent")],
        [workspace, categories("StorageRead", "StorageWrite", "StorageDelete")],
      ]),
    );
    expect(await up({ existing: { workspace } })).toEqual([]);
    await stack.engine.destroy();
    expect(stack.cloud.get(workspace)).toBeDefined();
    expect(stack.cloud.list({ type: "Microsoft.Insights/diagnosticSettings" })).toEqual([]);
  });

  it("gets a key of the stack's own where only the vault is named", async () => {
    const made = await up({ existing: { vault: await makeVault() }, authorization: "rbac" });
    expect(made).toContain("create vault-key");
    expect(made).not.toContain("create vault-vault");
    const [key] = stack.cloud.list({ type: "Microsoft.KeyVault/vaults/keys" });
    expect(key?.name).toBe("sealing-dev-2048");
  });

  it.each<[what: string, existing: () => Promise<object>, settings: object, line: string]>([
    [
      "a group that is not there",
      async () => ({ resourceGroup: "hob" }),
      {},
      "existing.resourceGroup hob does not exist: set sealed-onion:existing.resourceGroup",
    ],
    [
      "a vault of another subscription",
      async () => ({ vault: (await makeVault()).replace(stack.cloud.subscriptionId, "elsewhere") }),
      { authorization: "rbac" },
      "existing.vault hub-vault is of subscription elsewhere, the stack of ",
    ],
    [
      "a key that may not decrypt",
      async () => ({ vault: await makeVault(), key: await makeKey({ keyOps: ["sign", "encrypt"] }) }),
      { authorization: "rbac" },
      "existing.key sealing is not for decrypt: set sealed-onion:existing.key",
    ],
    [
      "an account that takes no page blobs",
      async () => ({ storageAccount: await makeAccount({ kind: "BlockBlobStorage" }) }),
      {},
      "existing.storageAccount hubaccount is of kind BlockBlobStorage, which takes no page blobs: set sealed-onion:existing.storageAccount",
    ],
    [
      "an account elsewhere",
      async () => ({ storageAccount: await makeAccount({ location: "northeurope" }) }),
      {},
      "existing.storageAccount hubaccount is in northeurope, the stack in westeurope: set sealed-onion:existing.storageAccount",
    ],
    [
      "a subnet that leads nowhere",
      async () => ({ subnet: await makeSubnet({ defaultOutboundAccess: false }) }),
      { outbound: "subnet" },
      "existing.subnet onions has no way to the internet (no NAT gateway, no route table, no default outbound access): give it one, as tor has to dial out",
    ],
    [
      "a subnet that belongs to a service",
      async () => ({
        subnet: await makeSubnet({ delegations: [{ name: "web", serviceName: "Microsoft.Web/serverFarms" }] }),
      }),
      { outbound: "subnet" },
      "existing.subnet onions is delegated to Microsoft.Web/serverFarms, no VM can be in it: set sealed-onion:existing.subnet",
    ],
    [
      "a workspace that is not there",
      async () => ({
        workspace: `/subscriptions/${stack.cloud.subscriptionId}/resourceGroups/hub/providers/Microsoft.OperationalInsights/workspaces/logs`,
      }),
      {},
      "existing.workspace logs does not exist: set sealed-onion:existing.workspace",
    ],
  ])("is refused before anything is made: %s", async (_, existing, settings, line) => {
    expect(await problem({ existing: await existing(), ...settings })).toContain(line);
  });
});

describe("a name that is taken", () => {
  it("by another clone's stack is refused in a preview, with the way out", async () => {
    await stack.make("resources:ResourceGroup", {
      resourceGroupName: "sealed-onion-dev-westeurope",
      location: "westeurope",
    });
    await stack.engine.setConfig(configure());
    await expect(stack.engine.preview()).rejects.toThrow(
      "resource group sealed-onion-dev-westeurope is there already, and this stack has made nothing yet: type pulumi stack rename NAME if it is another clone's",
    );
  });
});
