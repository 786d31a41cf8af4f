import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findOnPath } from "../../../../components/process/find-program";
import { runningSince } from "../../../../components/process/process-start";
import { openSealed, type Run, type Sealing, startSealing } from "../sealing";

const sops = findOnPath("sops") ?? "";
const why = sops ? "" : " (skipped: needs sops on PATH)";
const age = "age1cpzs5hdla9y330r5sdmln0vfxerxf0gfyd59gxkyffx5zu3h5elsd95rqm";

let sealing: Sealing;
beforeAll(async () => {
  sealing = await startSealing();
});
afterAll(() => sealing.close());

const sealedFile = (name: string) => `nix/stacks/dev/${name}.sops.json`;
const inProject = (file: string) => path.join(sealing.folder, file);

/** A sops that does something to the project while it seals. @param script of sh, whose folder is the project */
function sopsThat(script: string): NodeJS.ProcessEnv {
  const bin = fs.mkdtempSync(inProject("bin-"));
  fs.writeFileSync(path.join(bin, "sops"), `#!/bin/sh\n${script}\nexec ${sops} "$@"\n`, { mode: 0o755 });
  return { PATH: `${bin}:${process.env.PATH}` };
}

/** A lock as another run makes it. @returns its path */
function lockOf(name: string, pid: number, start = runningSince(pid) ?? "0", host = os.hostname()): string {
  const machine = createHash("sha256").update(host).digest("hex").slice(0, 8);
  return sealing.write(`.cache/seal/dev/${name}.lock.${machine}.${pid}.${start}`, "", 0o644);
}

describe.skipIf(!sops)(`several runs at once${why}`, () => {
  it("that make the same onion key make one address, in 15 pairs of 15", { timeout: 300_000 }, async () => {
    for (let pair = 0; pair < 15; pair++) {
      const name = `pair-${pair}`;
      const both = await Promise.all([1, 2].map(() => sealing.run({ name, fingerprint: "onion:#1" })));
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      expect(both.map(({ result }) => result.action).sort()).toEqual(["sealed", "unchanged"]);
      expect(new Set(both.map(({ result }) => `${result.hostname} ${result.digest}`)).size).toBe(1);
      expect(sealing.record(name).digest).toBe(both[0]?.result.digest);
    }
    expect(fs.readdirSync(inProject(".cache/seal/dev"))).toEqual([]);
  });

  it("of five wait for each other, removal included", async () => {
    const secret = { name: "busy", fingerprint: "onion:#1" };
    const runs = await Promise.all(Array.from({ length: 4 }, () => sealing.run(secret)));
    expect(runs.filter(({ result }) => result.action === "sealed")).toHaveLength(1);
    const [removal, next] = await Promise.all([sealing.run(secret, { remove: true }), sealing.run(secret)]);
    expect(removal.code).toBe(0);
    // Whichever comes first: the other one finds all of its work done.
    if (next.code === 0) expect(next.result.action).toBe("unchanged");
    else expect(next.stderr).toContain("busy.sops.json was put aside as .removed/dev/busy.");
  });

  it("that cannot see each other's lock make one address, and the other says so", async () => {
    // Its lock is gone before it seals, as on a network folder that shows files late.
    const unseen = sopsThat("rm -f .cache/seal/dev/unseen.lock.*; sleep 0.5");
    const runs = await Promise.all(
      [1, 2, 3].map(() => sealing.run({ name: "unseen", fingerprint: "onion:#1" }, { environment: unseen })),
    );
    const done = runs.filter(({ code }) => code === 0);
    const addresses = new Set(done.map(({ result }) => result.hostname));
    expect(addresses).toEqual(new Set([sealing.record("unseen").onion?.hostname]));
    for (const run of runs.filter(({ code }) => code !== 0)) expectChangedMeanwhile(run, "unseen");
  });
});

function expectChangedMeanwhile(run: Run, name: string): void {
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toContain(
    `${name}: ${sealedFile(name)} was changed by something else at the same time, it stands as it is: run this again\n`,
  );
}

describe.skipIf(!sops)(`a lock${why}`, () => {
  it.each([
    ["of a killed process", () => lockOf("stale", 2 ** 22 + 1)],
    ["of a process whose number another one has by now", () => lockOf("stale", process.pid, "1")],
  ])("%s is noticed", async (_, make) => {
    const lock = make();
    const run = await sealing.run({ name: "stale", fingerprint: "onion:#1" });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(fs.existsSync(inProject(lock))).toBe(false);
  });

  it.each([
    ["of a run that is still there", "held", () => lockOf("held", process.pid), `process ${process.pid}`],
    ["of another machine", "far", () => lockOf("far", 7, "1", "elsewhere"), "process 7 on another machine"],
  ])("%s is waited for", async (_, name, make, whose) => {
    const lock = inProject(make());
    const started = Date.now();
    const waiting = sealing.run({ name, fingerprint: "onion:#1" });
    setTimeout(() => fs.rmSync(lock), 2000);
    const run = await waiting;
    expect(Date.now() - started).toBeGreaterThan(2000);
    expect(run).toMatchObject({ code: 0, stderr: `another run (${whose}) seals ${name}, waiting for it\n` });
  });

  it("of another secret, of a name that begins the same, is none", async () => {
    const lock = lockOf("alike.lock", process.pid);
    expect(await sealing.run({ name: "alike", fingerprint: "onion:#1" })).toMatchObject({ code: 0, stderr: "" });
    fs.rmSync(inProject(lock));
  });
});

describe.skipIf(!sops)(`a sealed file that changes while another one is made${why}`, () => {
  const source = { file: "token" };

  it.each([
    ["comes into being", false, `cp ${sealedFile("other")} ${sealedFile("raced")}`],
    ["is replaced", true, `cp ${sealedFile("other")} ${sealedFile("raced")}`],
    ["goes", true, `rm ${sealedFile("raced")}`],
  ])("stands: it %s", async (_, isThere, script) => {
    sealing.write("token", "value");
    for (const kind of ["sops", "seal"]) fs.rmSync(inProject(`nix/stacks/dev/raced.${kind}.json`), { force: true });
    for (const name of ["other", ...(isThere ? ["raced"] : [])]) await sealing.run({ name, source, fingerprint: "1" });
    const run = await sealing.run({ name: "raced", source, fingerprint: "2" }, { environment: sopsThat(script) });
    expectChangedMeanwhile(run, "raced");
    const stands = fs.existsSync(inProject(sealedFile("raced"))) && sealing.read(sealedFile("raced"));
    expect(stands).toEqual(script.startsWith("rm") ? false : sealing.read(sealedFile("other")));
    if (!isThere) return; // another secret's file in its place is refused, whenever it came
    const again = await sealing.run({ name: "raced", source, fingerprint: "2" });
    expect(again).toMatchObject({ code: 0, result: { action: "sealed" } });
  });
});

describe.skipIf(!sops)(`folders on several file systems${why}`, () => {
  it.skipIf(!fs.existsSync("/dev/shm"))("seal, replace and remove all the same", async () => {
    const elsewhere = fs.mkdtempSync("/dev/shm/one-writer-");
    const apart = await startSealing();
    fs.symlinkSync(elsewhere, path.join(apart.folder, ".cache"));
    const first = await apart.run({ name: "onion-key", fingerprint: "onion:#1" });
    const second = await apart.run({ name: "onion-key", fingerprint: "onion:#1", age: [age] });
    const third = await apart.run({ name: "onion-key", fingerprint: "onion:#1", age: [age] });
    expect([first, second, third].map(({ stderr }) => stderr)).toEqual(["", "", ""]);
    expect([first, second, third].map(({ result }) => result.action)).toEqual(["sealed", "rewrapped", "unchanged"]);
    expect(fs.readdirSync(path.join(apart.folder, "nix/stacks/dev")).sort()).toEqual([
      "onion-key.seal.json",
      "onion-key.sops.json",
    ]);
    expect(fs.readdirSync(path.join(elsewhere, "seal/dev"))).toEqual([]);
    await apart.close();
    fs.rmSync(elsewhere, { recursive: true });
  });
});

describe.skipIf(!sops)(`an edit during which something changes${why}`, () => {
  const configure = (recipients: string[]) =>
    fs.writeFileSync(inProject("Pulumi.dev.yaml"), configuration(recipients), { mode: 0o644 });
  const configuration = (recipients: string[]) =>
    stringify({
      config: {
        "sealed-onion:secrets": { edited: { source: { file: "token" } } },
        "sealed-onion:recipients": { age: recipients },
      },
    });

  function edit(script: string): Promise<Run> {
    fs.writeFileSync(inProject("editor"), `#!/bin/sh\n${script}\nprintf changed > "$1"\n`, { mode: 0o755 });
    return sealing.start("secrets", ["edit", "edited"], { environment: { EDITOR: inProject("editor") } });
  }

  beforeAll(async () => {
    sealing.write("token", "value");
    configure([age]);
    expect(await sealing.run({ name: "edited", source: { file: "token" }, age: [age] })).toMatchObject({ code: 0 });
  });

  it("gives a recipient that was removed no access back", async () => {
    fs.writeFileSync(inProject("without.yaml"), configuration([]));
    const run = await edit("cp without.yaml Pulumi.dev.yaml");
    expect(run.code).toBe(0);
    expect(sealing.read(sealedFile("edited")).toString()).not.toContain(age);
    expect(sealing.record("edited").recipients.age).toEqual([]);
    expect((await openSealed(sealing, sealedFile("edited"))).toString()).toBe("changed");
  });

  it("seals over a file that was only re-wrapped, and over no other content", async () => {
    const file = sealedFile("edited");
    const rewrap = `${sops} rotate -i --add-age ${age} ${file}`;
    expect((await edit(`${rewrap}; printf again > "$1"; exit 0`)).code).toBe(0);
    expect((await openSealed(sealing, file)).toString()).toBe("again");
    expect(sealing.read(file).toString()).not.toContain(age);
    sealing.write("token", "of another run");
    const run = await sealing.run({ name: "other-content", source: { file: "token" } });
    expect(run.code).toBe(0);
    const refused = await edit(`cp ${sealedFile("other-content")} ${file}`);
    expect(refused.stderr).toBe(`${file} got another content while it was edited: nothing is sealed, edit that one\n`);
    expect(sealing.read(file)).toEqual(sealing.read(sealedFile("other-content")));
  });
});
