import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noScratchStore } from "./scratch-store";
import { type Look, startUpdateRig, type UpdateRig } from "./update-rig";

describe.skipIf(noScratchStore)(`updates with another kernel (skipped: ${noScratchStore})`, () => {
  let it_: UpdateRig;
  let image: string;
  beforeEach(async () => {
    it_ = await startUpdateRig({ page: "first" });
    image = it_.running();
  });
  afterEach(() => it_.close());

  const update = async (look: Look) => {
    const { release, code, stderr } = await it_.update(look);
    return { path: release.path, code, stderr };
  };
  const state = () => ({ running: it_.running(), standing: it_.bootDefault(), outcome: it_.outcome().outcome });
  const reboots = () =>
    fs.readFileSync(path.join(it_.guest.folder, "systemctl"), "utf8").match(/^reboot$/gm)?.length ?? 0;
  const automatically = () => {
    it_.env.SEALED_ONION_REBOOT = "auto";
  };

  it("wait for a reboot, and are the default once they have served with it", async () => {
    await update({ page: "zero" });
    const zero = it_.running();
    const { path: one, code, stderr } = await update({ page: "one", kernel: "two" });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(state()).toEqual({ running: one, standing: zero, outcome: "running" });
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect([state().running, reboots()]).toEqual([one, 0]);
    it_.reboot();
    expect(it_.running()).toBe(one);
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(state()).toEqual({ running: one, standing: one, outcome: "running" });
    it_.reboot();
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(state()).toEqual({ running: one, standing: one, outcome: "running" });
  });

  it("reboot by themselves where they may, and are running only afterwards", async () => {
    await update({ page: "zero" });
    automatically();
    const { path: one } = await update({ page: "one", kernel: "two" });
    expect([state().outcome, reboots()]).toEqual(["trying", 1]);
    it_.reboot();
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect([state(), reboots()]).toEqual([{ running: one, standing: one, outcome: "running" }, 1]);
  });

  it.each([
    ["by themselves", true],
    ["by hand", false],
  ])("that do not come up after a reboot %s are left, and up is told", async (_, isAuto) => {
    const { path: zero } = await update({ page: "zero" });
    if (isAuto) automatically();
    const { path: one } = await update({ page: "one", kernel: "bad" });
    it_.reboot({ panics: true });
    expect(it_.running()).toBe(zero);
    expect(await it_.look()).toMatchObject({ code: 1 });
    expect(state()).toEqual({ running: zero, standing: zero, outcome: "went back" });
    expect(it_.outcome().why).toBe("the machine does not come up with its kernel");
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect([it_.running(), reboots()]).toEqual([zero, isAuto ? 1 : 0]);
    it_.reboot(); // one more trial
    await it_.look();
    expect([it_.running(), it_.bootDefault()]).toEqual([one, zero]);
  });

  it("that come up and do not serve are left by another reboot", async () => {
    const { path: zero } = await update({ page: "zero" });
    automatically();
    const { path: one } = await update({ page: "one", kernel: "mute" });
    it_.reboot();
    expect(it_.running()).toBe(one);
    fs.writeFileSync(path.join(it_.guest.folder, "run/sealed-onion-status/descriptors.json"), "{}");
    expect(await it_.look()).toMatchObject({ code: 1 });
    expect([state(), reboots()]).toEqual([{ running: zero, standing: zero, outcome: "went back" }, 2]);
    it_.reboot();
    expect([it_.running(), it_.bootDefault()]).toEqual([zero, zero]);
  });

  it("leave the last system whose kernel has run as what a reboot boots, however many follow", async () => {
    const { path: zero } = await update({ page: "zero" });
    await update({ page: "one", kernel: "two" });
    const { path: two } = await update({ page: "two", kernel: "two" });
    expect(state()).toEqual({ running: two, standing: zero, outcome: "running" });
    await update({ page: "three", kernel: "two", torless: true });
    expect(state()).toEqual({ running: two, standing: zero, outcome: "went back" });
  });

  it("that nobody has booted yet are forgotten where the next system does without", async () => {
    await update({ page: "zero" });
    await update({ page: "one", kernel: "two" });
    const { path: two } = await update({ page: "two" });
    expect(state()).toEqual({ running: two, standing: two, outcome: "running" });
    it_.reboot();
    expect(it_.running()).toBe(two);
  });

  it("that do not come up on a new machine leave it the image's kernel with the system that is asked for", async () => {
    automatically();
    const { path: one } = await update({ page: "one", kernel: "bad" });
    it_.reboot({ panics: true });
    expect(it_.running()).toBe(image);
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect([state().running, state().outcome, reboots()]).toEqual([one, "running", 1]);
  });

  it("wait as before where another loader than GRUB boots", async () => {
    it_.env.SEALED_ONION_GRUB = "";
    const { path: one } = await update({ page: "one", kernel: "two" });
    expect(state()).toEqual({ running: one, standing: one, outcome: "running" });
    automatically();
    const { path: two } = await update({ page: "one", kernel: "three" });
    expect(reboots()).toBe(1);
    it_.reboot();
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect([state(), reboots()]).toEqual([{ running: two, standing: two, outcome: "running" }, 1]);
  });
});
