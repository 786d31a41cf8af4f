import { ask, via } from "loopback-azure/client";
import { type Rig, startRig } from "loopback-azure/fixture";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cleanLive, type Subscription } from "./clean";
import { LIVE_TAG } from "./plan";

const NOW = new Date("2026-01-02T03:00:00Z");
const EARLIER = "2026-01-02T02:59:00Z";
const LATER = "2026-01-02T04:00:00Z";

describe("what live rehearsals have left", () => {
  let rig: Rig;
  let subscription: Subscription;
  const said: string[] = [];

  beforeAll(async () => {
    rig = await startRig();
    subscription = {
      id: rig.cloud.subscriptionId,
      resourceManager: "management.azure.com",
      token: () => rig.tokenOf(rig.workstation(), "https://management.azure.com/"),
      async ask(url, { method = "GET", headers }) {
        const { status, json, text } = await ask(via(rig.azure.workstation.env), url, { method, headers });
        return { status, body: json, text, header: () => undefined };
      },
    };
  });
  afterAll(async () => {
    await rig.close();
  });
  beforeEach(() => void said.splice(0));

  function addGroup(name: string, expires?: string): string {
    const id = `/subscriptions/${rig.cloud.subscriptionId}/resourceGroups/${name}`;
    const tags = expires === undefined ? {} : { [LIVE_TAG]: expires };
    const common = { location: "westeurope", tags };
    rig.cloud.put({ ...common, id, type: "Microsoft.Resources/resourceGroups", name, properties: {} });
    const vault = `${id}/providers/Microsoft.KeyVault/vaults/kv-${name}`;
    rig.cloud.put({ ...common, id: vault, type: "Microsoft.KeyVault/vaults", name: `kv-${name}`, properties: {} });
    return id;
  }
  const say = (line: string) => void said.push(line);

  it("goes where its time is over, vaults that Azure keeps included; nothing else is touched", async () => {
    const over = addGroup("over", EARLIER);
    const running = addGroup("running", LATER);
    const untagged = addGroup("untagged");
    expect(await cleanLive(subscription, [], say, NOW)).toEqual(["over", "kv-over"]);
    expect(rig.cloud.get(over)).toBeUndefined();
    expect([rig.cloud.get(running)?.name, rig.cloud.get(untagged)?.name]).toEqual(["running", "untagged"]);
    expect(rig.cloud.deletedVaults()).toEqual([]);
    expect(said).toEqual([
      "deleting resource group over: this takes minutes",
      "purging vault kv-over, which Azure keeps after its deletion",
    ]);
  });

  it("goes before its time where it is this checkout's own, if it has the tag", async () => {
    addGroup("mine", LATER);
    const untagged = addGroup("mine-untagged");
    expect(await cleanLive(subscription, ["mine", "mine-untagged"], say, NOW)).toEqual(["mine", "kv-mine"]);
    expect(rig.cloud.get(untagged)).toBeDefined();
  });

  it("is purged too where the group is gone already, and the vault is kept", async () => {
    const id = addGroup("half", LATER);
    rig.cloud.remove(id);
    expect(await cleanLive(subscription, ["half"], say, NOW)).toEqual(["kv-half"]);
  });

  it("is nothing where nothing is there", async () => {
    expect(await cleanLive(subscription, [], say, NOW)).toEqual([]);
    expect(said).toEqual([]);
  });

  it("is told of where Azure refuses", async () => {
    addGroup("refused", EARLIER);
    rig.azure.faults.add({
      host: "management.azure.com",
      method: "DELETE",
      times: 1,
      effect: { kind: "answer", status: 409, code: "ScopeLocked" },
    });
    const other = addGroup("with-it", EARLIER);
    await expect(cleanLive(subscription, [], say, NOW)).rejects.toThrow(
      "Azure refuses DELETE resourcegroups/refused (HTTP 409 ScopeLocked)",
    );
    expect(rig.cloud.get(other), "the others go all the same").toBeUndefined();
    expect(rig.cloud.deletedVaults()).toEqual([]);
    rig.cloud.remove(`/subscriptions/${rig.cloud.subscriptionId}/resourceGroups/refused`);
    await cleanLive(subscription, ["refused"], say, NOW);
  });

  /** Azure as others see it: asked by this function in between. */
  const through = (between: (url: string, method: string) => Promise<object | undefined>): Subscription => ({
    ...subscription,
    async ask(url, request) {
      const body = await between(url, request.method ?? "GET");
      if (body === undefined) return (subscription.ask as NonNullable<Subscription["ask"]>)(url, request);
      return { status: 200, body, text: "", header: () => undefined };
    },
  });

  it("is found on each page of Azure's lists", async () => {
    addGroup("last-page", EARLIER);
    let pages = 0;
    const paged = through(async (url) => {
      if (url.includes("page=2") || !/resourcegroups\?|deletedVaults\?/.test(url)) return undefined;
      pages += 1;
      return { value: [], nextLink: `${url}&page=2` };
    });
    expect(await cleanLive(paged, [], say, NOW)).toEqual(["last-page", "kv-last-page"]);
    expect(pages).toBe(2);
  });

  it("may be gone by the time that it is asked for, and Azure silent for a moment", async () => {
    const id = addGroup("raced", EARLIER);
    let silent = 1;
    const raced = through(async (url, method) => {
      if (method === "DELETE") rig.cloud.remove(id);
      if (url.includes("resourcegroups/raced") && method === "GET" && silent-- > 0) throw new Error("ECONNRESET");
      if (method === "POST") for (const { resource } of rig.cloud.deletedVaults()) rig.cloud.purgeVault(resource.name);
      return undefined;
    });
    expect(await cleanLive(raced, [], say, NOW)).toEqual(["raced", "kv-raced"]);
  }, 20_000);
});
