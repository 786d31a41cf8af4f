import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signRelease } from "../../components/system/publish/release";
import { newSigningKey, readSigningKey } from "../../components/system/signing-key/signing-key";
import { volume } from "../volume";
import { noScratchStore } from "./scratch-store";
import { startUpdateRig, type UpdateRig } from "./update-rig";

const FIRST = { page: "first" };
const KILLS = volume({ usual: 10, long: 100 });

describe.skipIf(noScratchStore)(`updates in place, with a real Nix on both sides (skipped: ${noScratchStore})`, () => {
  let it_: UpdateRig;
  beforeEach(async () => {
    it_ = await startUpdateRig(FIRST);
  });
  afterEach(() => it_.close());

  /** The machine is asked for a system of this look, and looks. */
  const update = async (look: Parameters<UpdateRig["build"]>[0]) => {
    const release = await it_.publish(it_.build(look));
    it_.ask(release);
    const { code, stderr } = await it_.look();
    return { release, code, stderr };
  };
  const outcome = () => it_.update();

  it("takes a system, runs it and boots it from then on; an unchanged wish touches nothing", async () => {
    const { release, code, stderr } = await update({ page: "second" });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect([it_.running(), it_.bootDefault(), it_.page()]).toEqual([release.path, release.path, "second"]);
    expect(outcome()).toMatchObject({ outcome: "running", generation: 1, why: "" });
    const before = fs.readFileSync(path.join(it_.guest.folder, "switches"), "utf8");
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(fs.readFileSync(path.join(it_.guest.folder, "switches"), "utf8")).toBe(before);
  });

  it("goes back to an older system where that is the newer wish, and refuses a replayed older one", async () => {
    const one = await update({ page: "one" });
    const two = await update({ page: "two" });
    it_.ask(one.release);
    expect(await it_.look()).toMatchObject({ code: 1 });
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining("it is older than 2") });
    expect(it_.running()).toBe(two.release.path);
    const back = await update({ page: "one" });
    expect(back.release).toMatchObject({ path: one.release.path, generation: 3 });
    expect(it_.page()).toBe("one");
  });

  it("goes back by itself from a system whose tor does not start, says why, and tries it once a boot", async () => {
    const good = await update({ page: "good" });
    const { code } = await update({ page: "bad", torless: true });
    expect(code).toBe(1);
    expect([it_.running(), it_.bootDefault(), it_.page()]).toEqual([good.release.path, good.release.path, "good"]);
    expect(outcome()).toMatchObject({ outcome: "went back", why: "tor does not run after 2 s", generation: 2 });
    const switches = () => fs.readFileSync(path.join(it_.guest.folder, "switches"), "utf8").split("\n").length;
    const before = switches();
    await it_.look();
    expect(switches()).toBe(before);
    it_.reboot();
    await it_.look();
    expect(switches()).toBeGreaterThan(before);
    expect(it_.running()).toBe(good.release.path);
  });

  it("goes back from a switch that fails", async () => {
    const good = await update({ page: "good" });
    await update({ page: "bad", code: 2 });
    expect(it_.running()).toBe(good.release.path);
    expect(outcome().why).toBe("switch-to-configuration ended with 2");
  });

  it.each([
    ["another key's signature", (_: UpdateRig, path: string) => signRelease("dev", { path, generation: 9 }, other())],
    ["another stack's wish", (r: UpdateRig, path: string) => signRelease("prod", { path, generation: 9 }, r.key)],
    ["no signature", (_: UpdateRig, path: string) => ({ path, generation: 9, signature: "" })],
    [
      "a raised number",
      (r: UpdateRig, path: string) => ({ ...signRelease("dev", { path, generation: 8 }, r.key), generation: 9 }),
    ],
    [
      "another path",
      (r: UpdateRig, path: string) => ({ ...signRelease("dev", { path, generation: 9 }, r.key), path: `${path}x` }),
    ],
    ["a path outside of the store", (r: UpdateRig) => signRelease("dev", { path: "/tmp/x", generation: 9 }, r.key)],
    [
      "no number",
      (r: UpdateRig, path: string) => ({ ...signRelease("dev", { path, generation: 9 }, r.key), generation: "9" }),
    ],
  ])("refuses a wish with %s, and runs what it ran", async (_, wish) => {
    const good = await update({ page: "good" });
    it_.ask(wish(it_, it_.build({ page: "evil" })));
    expect(await it_.look()).toMatchObject({ code: 1 });
    expect(outcome().outcome).toBe("refused");
    expect(it_.running()).toBe(good.release.path);
  });

  const other = () => readSigningKey(newSigningKey("sealed-onion-dev"));
  const narInfos = async (of: string) => {
    const release = await it_.publish(it_.build({ page: of, ballast: of }));
    const name = `${release.path.slice(11, 43)}.narinfo`;
    return { release, name };
  };
  const text = async (name: string) => {
    const file = path.join(it_.guest.folder, "blob");
    const token = await it_.rig.tokenOf(it_.rig.workstation(), "https://storage.azure.com");
    const { ask, via } = await import("loopback-azure/client");
    const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2023-11-03" };
    const url = `https://sealedtest.blob.core.windows.net/systems/${name}`;
    const reply = await ask(via(it_.rig.azure.workstation.env), url, { headers });
    fs.writeFileSync(file, reply.text);
    return reply.text;
  };

  it("takes no path that its key has not signed, no matter who wrote it into the container", async () => {
    const good = await update({ page: "good" });
    const { release, name } = await narInfos("evil");
    const info = await text(name);
    await it_.put(name, info.replace(/^Sig: .*$/m, `Sig: ${other().sign("1;")}`));
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining("is not signed by") });
    expect(it_.running()).toBe(good.release.path);
    await it_.put(name, info);
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it("names a path that the container lacks, and goes on once it is there", async () => {
    const good = await update({ page: "good" });
    const { release, name } = await narInfos("next");
    const info = await text(name);
    await it_.remove(name);
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining(`has no ${name}`) });
    expect(it_.running()).toBe(good.release.path);
    await it_.put(name, info);
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(it_.running()).toBe(release.path);
  });

  it("takes no archive that is cut, and takes it again once it is whole", async () => {
    const { release, name } = await narInfos("next");
    const [, url = ""] = /^URL: (.*)$/m.exec(await text(name)) ?? [];
    await it_.put(url, "cut");
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining("is cut or damaged") });
  });

  it("waits for a container that it may not read, and serves meanwhile", async () => {
    const good = await update({ page: "good" });
    const { release } = await narInfos("next");
    it_.mayRead(false);
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "waiting", why: expect.stringContaining("HTTP 403") });
    expect(it_.running()).toBe(good.release.path);
    it_.mayRead(true);
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it("waits for a container that cannot be reached", async () => {
    await update({ page: "good" });
    const { release } = await narInfos("next");
    it_.ask(release);
    const { HTTPS_PROXY, https_proxy } = it_.env;
    Object.assign(it_.env, { HTTPS_PROXY: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9" });
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "waiting", why: expect.stringContaining("cannot be reached") });
    Object.assign(it_.env, { HTTPS_PROXY, ...(https_proxy ? { https_proxy } : {}) });
    if (!https_proxy) delete it_.env.https_proxy;
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it("an old image with new user data serves nothing before it runs what is asked for", async () => {
    const known = path.join(it_.guest.folder, "run/sealed-onion-update/known");
    const { release, name } = await narInfos("newest");
    const info = await text(name);
    await it_.remove(name);
    it_.ask(release);
    await it_.look();
    expect(fs.existsSync(known)).toBe(false);
    await it_.put(name, info);
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(fs.existsSync(known)).toBe(true);
    expect(it_.page()).toBe("newest");
  });

  it("an image that is asked for nothing, or for what it has, serves at once", async () => {
    it_.ask(undefined);
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(fs.existsSync(path.join(it_.guest.folder, "run/sealed-onion-update/known"))).toBe(true);
    const { code } = await update(FIRST);
    expect([code, outcome().outcome]).toEqual([0, "running"]);
  });

  it("two looks at once are one", async () => {
    const release = await it_.publish(it_.build({ page: "both" }));
    it_.ask(release);
    const both = await Promise.all([it_.look(), it_.look()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const switches = fs.readFileSync(path.join(it_.guest.folder, "switches"), "utf8");
    expect(switches.match(/^test /gm)).toHaveLength(1);
  });

  it("another kernel waits for a reboot, or reboots by itself and proves itself afterwards", async () => {
    await update({ page: "one", kernel: "two" });
    const reboots = () =>
      (fs.readFileSync(path.join(it_.guest.folder, "systemctl"), "utf8").match(/^reboot$/gm) ?? []).length;
    expect(reboots()).toBe(0);
    it_.reboot();
    it_.env.SEALED_ONION_REBOOT = "auto";
    const { release } = await update({ page: "one", kernel: "three" });
    expect(reboots()).toBe(1);
    it_.reboot();
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect([reboots(), it_.running(), outcome().outcome]).toEqual([1, release.path, "running"]);
  });

  it("keeps as many systems as it is told, and what its image has", async () => {
    const image = it_.running();
    const paths: string[] = [];
    for (const page of ["a", "b", "c", "d"]) paths.push((await update({ page })).release.path);
    expect([image, ...paths].map((name) => it_.guest.isValid(name))).toEqual([true, false, false, true, true]);
  });

  it(`killed at ${KILLS} random moments it runs and boots the old system or the new, never a third`, async () => {
    const looks = [
      { page: "left", ballast: "left" },
      { page: "right", ballast: "right" },
    ];
    let release = (await update(looks[0] as { page: string })).release;
    const started = Date.now();
    await update(looks[1] as { page: string });
    const whole = Date.now() - started;
    for (let round = 0; round < KILLS; round += 1) {
      const before = it_.running();
      release = await it_.publish(it_.build(looks[round % 2] as { page: string }));
      it_.ask(release);
      await it_.look(Math.random() * whole);
      const both = [before, release.path];
      expect(both).toContain(it_.running());
      expect(both).toContain(it_.bootDefault());
      expect(it_.guest.isValid(it_.running())).toBe(true);
      expect(it_.guest.isValid(it_.bootDefault())).toBe(true);
      if (Math.random() < 0.5) it_.reboot();
      expect(both).toContain(it_.running());
      expect(await it_.look()).toMatchObject({ code: 0 });
      expect([it_.running(), it_.bootDefault()]).toEqual([release.path, release.path]);
    }
  }, 900_000);
});
