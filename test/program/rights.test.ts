import { randomUUID } from "node:crypto";
import type { Right } from "loopback-azure/provider/needed-rights";
import { afterAll, describe, expect, it } from "vitest";
import { missingActions, PARTS, type Part, partsFor } from "../../components/azure/rights";
import { changesOf, type RunFailed } from "../rehearsal/engine/engine";
import { configurationOfPage, makeHub } from "../rehearsal/page-configurations";
import { configure, startStack, type TestStack } from "./diffs/test-stack";

const used = new Set<string>();
const stacks: TestStack[] = [];
afterAll(async () => {
  for (const stack of stacks) await stack.close();
});

type Configuration = Record<string, string>;

/** The parts that doctor finds in a configuration. */
function partsIn(config: Configuration): readonly Part[] {
  return partsFor((key) => {
    const text = config[`sealed-onion:${key}`];
    return text !== undefined && /^[[{]/.test(text) ? JSON.parse(text) : text;
  });
}

function open(): TestStack {
  const stack = startStack();
  stacks.push(stack);
  return stack;
}

const place = { resourceGroupName: "hub" };
const hubOf = ({ cloud }: TestStack) => `/subscriptions/${cloud.subscriptionId}/resourceGroups/hub`;

/** One of each that can be named. */
async function company(stack: TestStack): Promise<Record<string, string>> {
  await stack.make("resources:ResourceGroup", { ...place, location: "westeurope" });
  const sku = { family: "A", name: "standard" };
  const properties = { tenantId: stack.cloud.tenantId, sku, enableRbacAuthorization: true };
  const inVault = { ...place, vaultName: "hub-vault" };
  const vault = await stack.make("keyvault:Vault", { ...inVault, properties });
  const keyOf = { kty: "RSA", keySize: 2048, keyOps: ["encrypt", "decrypt"] };
  const key = await stack.make("keyvault:Key", { ...inVault, keyName: "sealing", properties: keyOf });
  const identity = await stack.make("managedidentity:UserAssignedIdentity", { ...place, resourceName: "hub-identity" });
  const account = { accountName: "hubimages", kind: "StorageV2", sku: { name: "Standard_LRS" } };
  const storageAccount = await stack.make("storage:StorageAccount", {
    ...{ ...place, ...account, location: "westeurope" },
  });
  const gallery = await stack.make("compute:Gallery", { ...place, location: "westeurope", galleryName: "hub" });
  const network = { ...place, virtualNetworkName: "hub-network" };
  await stack.make("network:VirtualNetwork", { ...network, addressSpace: { addressPrefixes: ["10.9.0.0/16"] } });
  const subnet = await stack.make("network:Subnet", { ...network, subnetName: "onions", addressPrefix: "10.9.1.0/24" });
  return { resourceGroup: "hub", vault, key, identity, storageAccount, gallery, subnet };
}

/** Key Vault Crypto User and Storage Blob Data Contributor. */
const ROLES = ["12338af0-0e69-4776-bea7-57ae8d297424", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"];

function grant(stack: TestStack, principalId: string, role: string): Promise<string> {
  const subscription = `/subscriptions/${stack.cloud.subscriptionId}`;
  return stack.make("authorization:RoleAssignment", {
    ...{ scope: `${subscription}/resourceGroups/hub`, principalId, principalType: "ServicePrincipal" },
    roleAssignmentName: randomUUID(),
    roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
  });
}

/** Lets somebody do what these actions are, and notes what they do. */
function holdTo(stack: TestStack, actions: readonly string[]): void {
  const permission = [{ actions }];
  stack.restrict(({ action }: Right) => {
    used.add(action);
    return missingActions([{ name: "", when: "", actions: [action] }], permission).length === 0;
  });
}

/** Made, changed and destroyed with the rights of its parts and no other. */
async function live(stack: TestStack, config: Configuration): Promise<void> {
  holdTo(
    stack,
    partsIn(config).flatMap(({ actions }) => actions),
  );
  await stack.engine.setConfig(config);
  await stack.engine.up();
  await stack.engine.setConfig({ ...config, "sealed-onion:tags": JSON.stringify({ team: "mail" }) });
  expect(changesOf(await stack.engine.up())).not.toEqual([]);
  await stack.engine.setConfig({ ...config, "sealed-onion:production": "false" });
  await stack.engine.up();
  await stack.engine.destroy();
}

const CONFIGURATIONS: Readonly<Record<string, (stack: TestStack) => Configuration | Promise<Configuration>>> = {
  "the default one": () => configure(),
  "status and updates in place": () => configure({ status: true, update: "inPlace" }),
  rbac: () => configure({ authorization: "rbac" }),
  "a gallery": () => configure({ image: { publish: "gallery" } }),
  "a NAT gateway": () => configure({ outbound: "natGateway" }),
  "a firewall": () => configure({ network: { allow: ["198.51.100.7"] } }),
  "private endpoints": () => configure({ network: { privateEndpoints: true } }),
  "a data disk": () => configure({ dataDisk: { sizeGib: 8 } }),
  "a disk encryption set": (stack) => configure({ osDisk: { encryptionSet: stack.encryptionSet() } }),
  "what somebody else made": async (stack) => {
    const existing = await company(stack);
    return configure({ existing, authorization: "rbac", outbound: "subnet", image: { publish: "gallery" } });
  },
  "rights that somebody else gave": async (stack) => {
    const { identity = "", resourceGroup } = await company(stack);
    const machine = `${stack.cloud.get(identity)?.properties.principalId}`;
    const grants: string[] = [];
    for (const principal of [machine, stack.sealer.replace("servicePrincipal:", "")])
      for (const role of ROLES) grants.push(await grant(stack, principal, role));
    return configure({ existing: { resourceGroup, identity }, grants, authorization: "rbac", status: true });
  },
  "the page's company": async (stack) => {
    await makeHub(stack);
    return configurationOfPage("company", stack);
  },
  "the page's fleet": (stack) => configurationOfPage("fleet", stack),
};

describe("the rights that doctor finds in a configuration are enough to make, change and destroy it, and what was there stays", () => {
  it.each(Object.entries(CONFIGURATIONS))("%s", async (_, configurationOf) => {
    const stack = open();
    const config = await configurationOf(stack);
    const before = stack.cloud.list({ under: hubOf(stack) });
    await live(stack, config);
    expect(stack.cloud.list({ under: hubOf(stack) })).toEqual(before);
  });
});

/** What is not asked of azure-native's resources by name. */
const BESIDES: Readonly<Record<string, string>> = {
  "Microsoft.Compute/locations/operations/read": "a request that takes long is asked for its end",
  "Microsoft.KeyVault/locations/deletedVaults/read": "a vault's name that is taken by a deleted one is found out",
  "Microsoft.KeyVault/locations/operationResults/read": "a request that takes long is asked for its end",
};

describe("the custom role", () => {
  it("holds what they have done, and no more", () => {
    const role = new Set(PARTS.flatMap(({ actions }) => actions));
    const unused = [...role].filter((action) => !used.has(action) && BESIDES[action] === undefined);
    expect(unused).toEqual([]);
    expect([...used].filter((action) => !role.has(action))).toEqual([]);
  });

  const all = PARTS.flatMap(({ actions }) => actions);

  it.each<[action: string, as: RegExp, of: Configuration]>([
    [
      "Microsoft.KeyVault/vaults/write",
      /Code="AuthorizationFailed" Message="The client '.+' with object id '.+' does not have authorization to perform action 'Microsoft.KeyVault\/vaults\/write' over scope '.+' or the scope is invalid\. If access was recently granted, please refresh your credentials/,
      configure(),
    ],
    [
      "Microsoft.Network/virtualNetworks/subnets/join/action",
      /Code="LinkedAuthorizationFailed" Message="The client '.+' with object id '.+' has permission to perform action 'Microsoft.Network\/networkInterfaces\/write' on scope '.+'; however, it does not have permission to perform action\(s\) 'Microsoft.Network\/virtualNetworks\/subnets\/join\/action' on the linked scope\(s\) '.+' \(respectively\) or the linked scope\(s\) are invalid/,
      configure(),
    ],
    [
      "Microsoft.Storage/storageAccounts/listKeys/action",
      /LinkedAuthorizationFailed.* 'Microsoft.Compute\/galleries\/images\/versions\/write' .* 'Microsoft.Storage\/storageAccounts\/listKeys\/action' on the linked scope/,
      configure({ image: { publish: "gallery" } }),
    ],
  ])(
    "without one of its actions something is refused, as Azure words it, and with the role it goes on: %s",
    async (action, as, config) => {
      const stack = open();
      holdTo(
        stack,
        all.filter((one) => one !== action),
      );
      await stack.engine.setConfig(config);
      const refused: unknown = await stack.engine.up().catch((error: unknown) => error);
      expect((refused as RunFailed).run.log).toMatch(as);
      holdTo(stack, all);
      await stack.engine.up();
      expect(changesOf(await stack.engine.up())).toEqual([]);
    },
  );
});
