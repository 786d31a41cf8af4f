import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Cleanup } from "../cleanup";
import { changesOf, RunFailed } from "./engine";
import { makeInAzure as make } from "./make-in-azure";
import { openStage } from "./open-stage";
import { refusal } from "./refusal";
import { type Stage, writeToken } from "./stage";
import { withConfig } from "./story-tools";
import { skippedFor } from "./tools";

const place = { resourceGroupName: "hub" };

/** A group, a vault with a key, an identity and a subnet that the company has. */
async function company(stage: Stage): Promise<Record<string, string>> {
  await make(stage, "resources:ResourceGroup", { ...place, location: "westeurope" });
  const sku = { family: "A", name: "standard" };
  const properties = { tenantId: stage.azure.cloud.tenantId, sku, enableRbacAuthorization: true };
  const inVault = { ...place, vaultName: "hub-vault" };
  const vault = await make(stage, "keyvault:Vault", { ...inVault, properties });
  const keyOf = { kty: "RSA", keySize: 2048, keyOps: ["encrypt", "decrypt"] };
  const key = await make(stage, "keyvault:Key", { ...inVault, keyName: "sealing", properties: keyOf });
  const identity = await make(stage, "managedidentity:UserAssignedIdentity", {
    ...place,
    resourceName: "hub-identity",
  });
  const inNetwork = { ...place, virtualNetworkName: "hub-network" };
  await make(stage, "network:VirtualNetwork", { ...inNetwork, addressSpace: { addressPrefixes: ["10.9.0.0/16"] } });
  const subnet = await make(stage, "network:Subnet", {
    ...inNetwork,
    subnetName: "onions",
    addressPrefix: "10.9.1.0/24",
  });
  return { resourceGroup: "hub", vault, key, identity, subnet };
}

function tell(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  let existing: Record<string, string>;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), engine);
    existing = await company(stage);
  }, 120_000);
  afterAll(() => cleanup.run(), 60_000);

  const hub = () =>
    stage.azure.cloud.list({ under: `/subscriptions/${stage.azure.cloud.subscriptionId}/resourceGroups/hub` });
  const settings = (named: object) => ({
    "sealed-onion:existing": JSON.stringify(named),
    "sealed-onion:authorization": "rbac",
    "sealed-onion:outbound": "subnet",
  });

  it("what is not there is said in a line, once, and nothing is made", async () => {
    const before = hub();
    await withConfig(stage, settings({ ...existing, vault: `${existing.vault}x`, key: `${existing.vault}x/keys/a` }));
    const refused: unknown = await stage.engine.preview().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RunFailed);
    const { log } = (refused as RunFailed).run;
    expect(log).toContain("existing.vault hub-vaultx does not exist: set sealed-onion:existing.vault");
    expect(log).toContain("existing.key a does not exist: set sealed-onion:existing.key");
    expect(log).not.toContain("serializing");
    expect(hub()).toEqual(before);
  }, 300_000);

  it("a stack lives among what the company has, and leaves it as it was", async () => {
    const before = hub();
    await withConfig(stage, settings(existing));
    const planned = changesOf(await stage.engine.preview());
    expect(changesOf(await stage.engine.up())).toEqual(planned);
    for (const own of [
      "vault-group",
      "vault-vault",
      "vault-key",
      "vault-identity",
      "vm-network",
      "vm-subnet",
      "vm-address",
    ])
      expect(planned.join("\n")).not.toContain(own);
    expect(String((await stage.engine.outputs()).keyUrl)).toContain("https://hub-vault.vault.azure.net/keys/sealing/");
    expect(changesOf(await stage.engine.up())).toEqual([]);
    await stage.engine.destroy();
    expect(hub()).toEqual(before);
  }, 600_000);
}

/** A stack whose vault and account are behind a firewall, then on private endpoints alone. */
function tellNetworks(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  beforeAll(async () => {
    vi.stubEnv("SEAL_PATIENCE_SECONDS", "15"); // what the firewall refuses here stays refused
    stage = await openStage(cleanup, process.cwd(), engine);
  }, 120_000);
  afterAll(() => {
    vi.unstubAllEnvs();
    return cleanup.run();
  }, 60_000);

  const only = (type: string) => stage.azure.cloud.list({ type })[0]?.properties;
  const network = (settings: object) => withConfig(stage, { "sealed-onion:network": JSON.stringify(settings) });

  it("the vault's firewall refuses who seals from elsewhere, and says which address to let through", async () => {
    await network({ allow: ["192.0.2.0/24"] });
    expect(await refusal(stage)).toMatch(
      /Key Vault answers 403 ForbiddenByFirewall: Client address is not authorized .*: add 198\.51\.100\.7 to sealed-onion:network\.allow, then pulumi up/,
    );
    await network({ allow: ["192.0.2.0/24", "198.51.100.7"] });
    await stage.engine.up();
    expect(only("Microsoft.KeyVault/vaults")).toMatchObject({ networkAcls: { defaultAction: "Deny" } });
    expect(changesOf(await stage.engine.up())).toEqual([]);
  }, 300_000);

  it("without public access it is sealed and uploaded from inside alone, and the machine stays", async () => {
    const machine = (await stage.engine.outputs()).vmId;
    writeToken(stage);
    await network({ privateEndpoints: true, publicAccess: "off" });
    expect(await refusal(stage)).toMatch(
      /403 ForbiddenByConnection: .*: run it in a network that reaches the vault's private endpoint, or set sealed-onion:network\.publicAccess to on/,
    );
    expect((await stage.engine.outputs()).vmId).toBe(machine);
    const [subnet] = stage.azure.cloud.list({ type: "Microsoft.Network/virtualNetworks/subnets" });
    stage.azure.cloud.workstation.subnetId = subnet?.id;
    const changes = changesOf(await stage.engine.up());
    expect(changes).toContain("update token-seal");
    expect(changesOf(await stage.engine.up())).toEqual([]);
    await stage.engine.destroy();
    expect(stage.azure.cloud.list({ type: "Microsoft.Network/privateEndpoints" })).toEqual([]);
  }, 600_000);
}

const alone = skippedFor("sops");
describe.skipIf(alone)(`networks, under the engine in process${alone}`, () => tellNetworks("in-process"));
describe.skipIf(alone)(`a company's own, under the engine in process${alone}`, () => tell("in-process"));
const both = skippedFor("sops", "pulumi");
describe.skipIf(both)(`networks, under Pulumi's own engine${both}`, () => tellNetworks("pulumi"));
describe.skipIf(both)(`a company's own, under Pulumi's own engine${both}`, () => tell("pulumi"));
