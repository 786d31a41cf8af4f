import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { volume } from "../volume";
import { noScratchStore } from "./scratch-store";
import { type Look, startUpdateRig, type UpdateRig } from "./update-rig";

const FIRST = { page: "first" };
const KILLS = volume({ usual: 4, long: 100 });

describe.skipIf(noScratchStore)(`updates in place, with a real Nix on both sides (skipped: ${noScratchStore})`, () => {
  let it_: UpdateRig;
  beforeEach(async () => {
    it_ = await startUpdateRig(FIRST);
  });
  afterEach(() => it_.close());

  const update = (look: Look) => it_.update(look);
  const outcome = () => it_.outcome();

  it("takes a system, runs it and boots it from then on; an unchanged wish touches nothing", async () => {
    const { release, code, stderr } = await update({ page: "second" });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect([it_.running(), it_.bootDefault(), it_.page()]).toEqual([release.path, release.path, "second"]);
    expect(outcome()).toMatchObject({ outcome: "running", generation: 1, why: "" });
    const before = fs.readFileSync(path.join(it_.guest.folder, "switches"), "utf8");
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(fs.readFileSync(path.join(it_.guest.folder, "switches"), "utf8")).toBe(before);
  });

  it("does nothing but ask where nothing has changed, and looks at all again after a look that failed", async () => {
    await update({ page: "second" });
    await it_.look();
    const accepted = path.join(it_.guest.folder, "var/lib/sealed-onion/accepted.json");
    fs.renameSync(accepted, `${accepted}.away`); // without it a whole look would take the system once more
    expect(await it_.look()).toMatchObject({ code: 0, stderr: "" });
    expect(fs.existsSync(accepted)).toBe(false);
    fs.renameSync(`${accepted}.away`, accepted);
    const fault = it_.rig.azure.faults.add({ host: "169.254.169.254", effect: { kind: "answer", status: 500 } });
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "waiting" });
    fault.remove();
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "running", generation: 1 });
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

  it("goes back by itself from a system behind whose address nobody listens", async () => {
    const good = await update({ page: "good" });
    await update({ page: "bad", serverless: true });
    expect([it_.running(), it_.bootDefault(), it_.page()]).toEqual([good.release.path, good.release.path, "good"]);
    const why = "service site: nothing listens at 127.0.0.1:8440 (onion-site-site.service: exit-code 203) after 2 s";
    expect(outcome()).toMatchObject({ outcome: "went back", why });
  });

  it("takes a system behind whose address nobody listens where nobody did before, and says so until somebody does", async () => {
    const dead = { page: "dead", serverless: true };
    expect(await update(dead)).toMatchObject({ code: 0 }); // a new machine has nothing better
    expect(outcome()).toMatchObject({ outcome: "running", why: "" });
    const next = await update({ ...dead, page: "still" });
    const why = expect.stringMatching(/^service site, as before: nothing listens at 127\.0\.0\.1:8440 /);
    expect([it_.running(), outcome()]).toEqual([
      next.release.path,
      expect.objectContaining({ outcome: "running", why }),
    ]);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "running", why });
    await update({ page: "mended" });
    expect([it_.page(), outcome().why]).toEqual(["mended", ""]);
  });

  it("excuses nobody behind an address on a machine that has just been booted", async () => {
    const good = await update({ page: "good" });
    it_.reboot();
    fs.writeFileSync(path.join(it_.guest.folder, "proc/net/tcp"), "");
    await update({ page: "bad", serverless: true });
    expect([it_.running(), outcome().outcome]).toEqual([good.release.path, "went back"]);
  });

  it("goes back from a switch that fails", async () => {
    const good = await update({ page: "good" });
    await update({ page: "bad", code: 2 });
    expect(it_.running()).toBe(good.release.path);
    expect(outcome().why).toBe("switch-to-configuration ended with 2");
  });

  it("an old image with new user data serves nothing before it runs what is asked for", async () => {
    const known = path.join(it_.guest.folder, "run/sealed-onion-update/known");
    const release = await it_.publish(it_.build({ page: "newest" }));
    it_.ask(release);
    it_.mayRead(false);
    await it_.look();
    expect(fs.existsSync(known)).toBe(false);
    it_.mayRead(true);
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

  it("keeps as many systems as it is told, and what its image has", async () => {
    const image = it_.running();
    const paths: string[] = [];
    for (const page of ["a", "b", "c", "d"]) paths.push((await update({ page })).release.path);
    expect([image, ...paths].map((name) => it_.guest.isValid(name))).toEqual([true, false, false, true, true]);
    const { release } = await update({ page: "a" }); // back to one that is gone
    expect([release.path, it_.page()]).toEqual([paths[0], "a"]);
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
