import { CLOUD_NAMES, type CloudName } from "loopback-azure/cloud-names";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { changesOf } from "./engine";
import { openStage } from "./open-stage";
import type { Stage } from "./stage";
import { withConfig } from "./story-tools";
import { skippedFor } from "./tools";

/** What a stack in another of Azure's clouds has to find there. */
interface Elsewhere {
  readonly cloud: CloudName;
  readonly location: string;
  readonly vault: string;
  readonly blobs: string;
  readonly zones: readonly string[];
}

const CLOUDS: readonly Elsewhere[] = [
  {
    cloud: "usgovernment",
    location: "usgovvirginia",
    vault: ".vault.usgovcloudapi.net",
    blobs: ".blob.core.usgovcloudapi.net",
    zones: ["privatelink.blob.core.usgovcloudapi.net", "privatelink.vaultcore.usgovcloudapi.net"],
  },
  {
    cloud: "china",
    location: "chinanorth3",
    vault: ".vault.azure.cn",
    blobs: ".blob.core.chinacloudapi.cn",
    zones: ["privatelink.blob.core.chinacloudapi.cn", "privatelink.vaultcore.azure.cn"],
  },
];

function tell(engine: "in-process" | "pulumi", { blobs, cloud, location, vault, zones }: Elsewhere): void {
  const cleanup = new Cleanup();
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(cleanup, process.cwd(), engine, { cloud });
  }, 120_000);
  afterAll(() => cleanup.run(), 60_000);

  it("a whole stack is made, sealed and uploaded there, and nothing of it asks another cloud", async () => {
    const settings = { "azure-native:environment": cloud, "azure-native:location": location };
    const network = JSON.stringify({ privateEndpoints: true, allow: [stage.azure.cloud.workstation.address] });
    await withConfig(stage, { ...settings, "sealed-onion:network": network });
    await stage.engine.up();
    const { keyUrl, vaultUri } = await stage.engine.outputs();
    expect(`${keyUrl}`).toContain(`${vault}/keys/`);
    expect(`${vaultUri}`).toMatch(new RegExp(`${vault}/$`));
    const hosts = [...new Set(stage.azure.requests.entries.map(({ host }) => host))];
    const logins: readonly string[] = CLOUD_NAMES[cloud].login;
    const isThere = (host: string) => logins.includes(host) || host.endsWith(vault) || host.endsWith(blobs);
    expect(hosts.filter((host) => !isThere(host))).toEqual([]);
    expect(hosts.some((host) => logins.includes(host))).toBe(true);
    for (const part of [vault, blobs]) expect(hosts.some((host) => host.endsWith(part))).toBe(true);
    const made = stage.azure.cloud.list({ type: "Microsoft.Network/privateDnsZones" });
    expect(made.map(({ name }) => name).sort()).toEqual(zones);
    expect(changesOf(await stage.engine.up())).toEqual([]);
  }, 300_000);
}

const alone = skippedFor("sops");
const both = skippedFor("sops", "pulumi");
for (const elsewhere of CLOUDS) {
  describe.skipIf(alone)(`${elsewhere.cloud}, under the engine in process${alone}`, () =>
    tell("in-process", elsewhere),
  );
  describe.skipIf(both)(`${elsewhere.cloud}, under Pulumi's own engine${both}`, () => tell("pulumi", elsewhere));
}
