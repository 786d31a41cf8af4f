import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type Cloud, type CloudResource, createCloud, isUnder, normalizeId } from "./cloud";

let now: number;
let cloud: Cloud;

beforeEach(() => {
  now = 0;
  cloud = createCloud({ now: () => now });
});

function resource(id: string, more: Partial<CloudResource> = {}): CloudResource {
  return { id, type: "Test/things", name: id.split("/").at(-1) ?? "", properties: {}, ...more };
}

function vault(properties: Record<string, unknown> = {}): CloudResource {
  return resource("/g/vaults/kv", { type: "Microsoft.KeyVault/vaults", name: "kv", properties });
}

describe("resources", () => {
  it("are found without case and kept as they were written", () => {
    cloud.put(resource("/Sub/RG/Thing", { tags: { a: "b" } }));
    expect(cloud.get("/sub/rg/thing/")).toEqual(resource("/Sub/RG/Thing", { tags: { a: "b" } }));
  });

  it("cannot be changed behind the store's back", () => {
    const given = resource("/a", { properties: { list: [1] } });
    const answered = cloud.put(given);
    (given.properties.list as number[]).push(2);
    (answered.properties.list as number[]).push(3);
    (cloud.get("/a")?.properties.list as number[] | undefined)?.push(4);
    expect(cloud.get("/a")?.properties).toEqual({ list: [1] });
  });

  it("are listed by type and place", () => {
    for (const id of ["/g/a", "/g/a/b", "/g/ab", "/h/a"]) cloud.put(resource(id));
    cloud.put(resource("/g/other", { type: "Test/others" }));
    expect(cloud.list({ under: "/G/A" }).map(({ id }) => id)).toEqual(["/g/a", "/g/a/b"]);
    expect(cloud.list({ type: "test/OTHERS" }).map(({ id }) => id)).toEqual(["/g/other"]);
    expect(cloud.list()).toHaveLength(5);
  });

  it("go with everything below them, the deepest first, and say so", () => {
    const seen: string[] = [];
    for (const id of ["/g", "/g/a", "/g/a/b", "/h"]) cloud.put(resource(id));
    const end = cloud.onChange(({ kind, resource: one }) => seen.push(`${kind} ${one.id}`));
    expect(cloud.remove("/g").map(({ id }) => id)).toEqual(["/g/a/b", "/g/a", "/g"]);
    end();
    cloud.put(resource("/g"));
    expect(seen).toEqual(["removed /g/a/b", "removed /g/a", "removed /g"]);
    expect(cloud.list().map(({ id }) => id)).toEqual(["/g", "/h"]);
  });

  it("tell a listener what was there before", () => {
    cloud.put(resource("/a", { properties: { n: 1 } }));
    const changes: unknown[] = [];
    cloud.onChange(({ previous }) => changes.push(previous?.properties));
    cloud.put(resource("/a", { properties: { n: 2 } }));
    expect(changes).toEqual([{ n: 1 }]);
  });
});

describe("what is in effect", () => {
  it("is the newest write whose time has come, given that no newer one took effect before it", () => {
    const write = fc.record({ wait: fc.nat(20), delay: fc.nat(30), gone: fc.boolean() });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), fc.nat(60), (writes, later) => {
        now = 0;
        cloud = createCloud({ now: () => now });
        const made: { from: number; value: number | undefined }[] = [];
        for (const [value, { wait, delay, gone }] of writes.entries()) {
          now += wait;
          if (gone && cloud.get("/a") === undefined) continue;
          const options = { effectiveAfterMs: delay };
          if (gone) cloud.remove("/a", options);
          else cloud.put(resource("/a", { properties: { value } }), options);
          made.push({ from: now + delay, value: gone ? undefined : value });
        }
        now += later;
        const due = made.filter(({ from }) => from <= now);
        expect(cloud.effective("/a")?.properties.value).toBe(due.at(-1)?.value);
        expect(cloud.get("/a")?.properties.value).toBe(made.at(-1)?.value);
      }),
    );
  });

  it("waits by type: policies for vaults, roles for assignments, nothing for the rest", () => {
    cloud.propagation.accessPoliciesMs = 10;
    cloud.propagation.rolesMs = 20;
    const assignment = resource("/r", { type: "Microsoft.Authorization/roleAssignments" });
    for (const one of [vault(), assignment, resource("/x")]) cloud.put(one);
    const seen = () => cloud.listEffective().map(({ id }) => id);
    expect(seen()).toEqual(["/x"]);
    now = 10;
    expect(seen()).toEqual(["/g/vaults/kv", "/x"]);
    now = 20;
    expect(seen()).toEqual(["/g/vaults/kv", "/r", "/x"]);
  });
});

describe("soft-deleted vaults", () => {
  const days = 86_400_000;

  it("keep name and keys, and come back with them", async () => {
    cloud.put(vault({ softDeleteRetentionInDays: 7 }));
    const made = await cloud.keys.create("/g/vaults/kv", "seal");
    cloud.remove("/g");
    expect(cloud.vault("KV")).toBeUndefined();
    expect(cloud.deletedVaults()).toEqual([
      {
        resource: vault({ softDeleteRetentionInDays: 7 }),
        deletedAt: 0,
        scheduledPurgeAt: 7 * days,
        purgeProtected: false,
      },
    ]);
    expect(cloud.recoverVault("KV")?.name).toBe("kv");
    expect(cloud.deletedVaults()).toEqual([]);
    expect(cloud.keys.latest("/G/vaults/kv", "SEAL")?.version).toBe(made.version);
  });

  it("are forgotten when purged, at once or when their days are over", async () => {
    cloud.put(vault());
    await cloud.keys.create("/g/vaults/kv", "seal");
    cloud.remove("/g/vaults/kv");
    expect([cloud.purgeVault("kv"), cloud.purgeVault("kv")]).toEqual([true, false]);
    expect(cloud.keys.names("/g/vaults/kv")).toEqual([]);
    cloud.put(vault());
    cloud.remove("/g/vaults/kv");
    now = 90 * days;
    expect(cloud.deletedVaults()).toEqual([]);
    expect(cloud.recoverVault("kv")).toBeUndefined();
  });

  it("cannot be purged under purge protection", () => {
    cloud.put(vault({ enablePurgeProtection: true }));
    cloud.remove("/g/vaults/kv");
    expect(() => cloud.purgeVault("kv")).toThrow("vault kv has purge protection: it is kept until its days are over");
  });

  it("do not exist where soft delete was off", () => {
    cloud.put(vault({ enableSoftDelete: false }));
    cloud.remove("/g/vaults/kv");
    expect(cloud.deletedVaults()).toEqual([]);
  });
});

describe("ids", () => {
  it("compare without case and outer slashes", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[A-Za-z]{1,5}$/), { minLength: 1, maxLength: 5 }), (parts) => {
        const id = `/${parts.join("/")}`;
        expect(normalizeId(`${id.toUpperCase()}/`)).toBe(normalizeId(id));
        expect(isUnder(`${id}/x`, id)).toBe(true);
        expect(isUnder(`${id}x`, id)).toBe(false);
        expect(isUnder(id, "/")).toBe(true);
      }),
    );
  });
});

it("has no blobs before a blob service is attached", () => {
  expect(() => cloud.blobs).toThrow("no blob service is attached to this cloud: start it with startAzure");
});
