import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NEW_IMAGE } from "../../rehearsal/engine/story-tools";
import { configure, said, startStack, type TestStack } from "./test-stack";

// Each of these is two or three updates and as many previews.
vi.setConfig({ testTimeout: 180_000 });

const IN_PLACE = { update: "inPlace" };
const system = (role: string) => `system-${role}`;
/** What a new system leads to: the machine that runs is asked for it. */
const NEW_SYSTEM = [`update ${system("build")}`, `update ${system("publish")}`, "update vm-machine"];

let stack: TestStack;
beforeEach(() => {
  stack = startStack();
});
afterEach(() => stack.close());

const change = async (settings: Readonly<Record<string, unknown>> = {}): Promise<string[]> => {
  await stack.engine.setConfig(configure({ ...IN_PLACE, ...settings }));
  return said(stack.engine);
};
const write = (name: string, text: string) => fs.writeFileSync(path.join(stack.folder, name), text);
const images = () => stack.work.filter((done) => !done.startsWith("publish "));

describe("under update: inPlace a preview says what up does", () => {
  it("where nothing changed: nothing", async () => {
    await change();
    expect(await change()).toEqual([]);
  });

  it("of another page, service, kernel or package: a system, and the machine's user data; no image, no machine", async () => {
    await change();
    write("nix/flake.nix", "{ changed = true; }\n");
    expect(await change()).toEqual(NEW_SYSTEM);
    const services = { web: { key: "onion-key", ports: { "8080": "site" } } };
    expect(await change({ services })).toEqual(NEW_SYSTEM);
    expect(images()).toHaveLength(2);
  });

  it("of a changed secret: its seal besides", async () => {
    await change();
    write("token.txt", "another token");
    expect(await change()).toEqual([...NEW_SYSTEM.slice(0, 2), "update token-seal", "update vm-machine"]);
  });

  it("of an older commit: a system again, and a number of its own, as going back is a new wish", async () => {
    await change();
    write("nix/flake.nix", "{ changed = true; }\n");
    await change();
    write("nix/flake.nix", "{ }\n");
    expect(await change()).toEqual(NEW_SYSTEM);
    const wishes = stack.work.filter((done) => done.startsWith("publish "));
    expect([wishes.length, wishes[2]]).toEqual([3, wishes[0]]);
  });

  it("where the machine tells how it is: the wait for it, too", async () => {
    await change({ status: true });
    write("nix/flake.nix", "{ changed = true; }\n");
    expect(await change({ status: true })).toEqual([...NEW_SYSTEM, "update vm-serving"]);
  });

  it("of a larger VM: the machine, in place, which reboots", async () => {
    await change();
    expect(await change({ vmSize: "Standard_B2ms" })).toEqual(["update vm-machine"]);
  });

  it("of another generation of the image: an image and a machine, and what that image lacks is looked for", async () => {
    await change();
    const changes = await change({ image: { generation: 2 } });
    expect(changes).toEqual([...NEW_IMAGE, `update ${system("publish")}`].sort());
  });
});

describe("a stack that was made before the default was inPlace", () => {
  it("gets one more image and machine, the new one first, and what signs and stores its systems; back again is one more", async () => {
    await change({ update: "replace" });
    const made = ["build", "container", "publish", "reader", "signing-key"].map((role) => `create ${system(role)}`);
    expect(await change()).toEqual([...made, ...NEW_IMAGE].sort());
    expect(await change()).toEqual([]);
    const gone = ["build", "container", "publish", "reader", "signing-key"].map((role) => `delete ${system(role)}`);
    expect(await change({ update: "replace" })).toEqual([...gone, ...NEW_IMAGE].sort());
  });
});

describe("where nothing is said of updates", () => {
  it.each([
    ["a single machine whose image Nix builds takes systems in place", {}, true],
    ["one whose disk is built elsewhere is replaced", { image: { vhd: "disk.vhd" } }, false],
    ["one whose disk another program builds is replaced", { image: { builder: ["true"] } }, false],
  ])("%s", async (_, settings, isInPlace) => {
    write("disk.vhd", "a disk");
    const changes = await change({ update: undefined, ...settings });
    expect(changes.includes(`create ${system("build")}`)).toBe(isInPlace);
  });
});
