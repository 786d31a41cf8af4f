import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findOnPath } from "../../../../components/process/find-program";
import type { ToolName } from "../../../../components/process/tools";
import type { SecretView } from "../../../../components/secrets/cli/list";
import { type Sealing, startSealing } from "../sealing";

const tools = ["sops", "git"] as const;
const missing = tools.filter((tool) => !findOnPath(tool as ToolName));
const why = missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "";

let sealing: Sealing;
const sealedFile = (name: string) => `nix/stacks/dev/${name}.sops.json`;
const recordFile = (name: string) => `nix/stacks/dev/${name}.seal.json`;
const inProject = (file: string) => path.join(sealing.folder, file);
const isThere = (file: string) => fs.existsSync(inProject(file));
const onion = (name: string) => ({ name, fingerprint: "onion:#1" });

function git(...words: string[]): string {
  const identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.invalid"];
  return execFileSync("git", [...identity, ...words], { cwd: sealing.folder, encoding: "utf8", stdio: "pipe" });
}

function commit(): void {
  git("add", "nix");
  git("commit", "--quiet", "--allow-empty", "-m", "sealed");
}

beforeAll(async () => {
  sealing = await startSealing();
  if (missing.length > 0) return;
  git("init", "--quiet");
  fs.mkdirSync(inProject("nix"));
});
beforeEach(() => sealing.azure.requests.clear());
afterAll(() => sealing.close());

describe.skipIf(missing.length > 0)(`what is removed with its declaration${why}`, () => {
  it("is deleted where git's HEAD has it", async () => {
    await sealing.run(onion("kept"));
    commit();
    const run = await sealing.run(onion("kept"), { remove: true });
    expect(run).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "removed the sealed file of kept; git keeps what was committed\n",
    });
    for (const file of [sealedFile("kept"), recordFile("kept"), ".removed"]) expect(isThere(file)).toBe(false);
  });

  it.each<[string, string, () => Promise<void> | void]>([
    ["was never committed", "fresh", () => {}],
    ["is only staged", "staged", () => void git("add", "nix")],
    [
      "changed since it was committed",
      "changed",
      async () => {
        commit();
        await sealing.run({ ...onion("changed"), keyUrl: await sealing.rotateKey() });
      },
    ],
  ])("is put aside where it %s, and can be put back", async (_, name, prepare) => {
    const first = await sealing.run(onion(name));
    await prepare();
    const stood = [sealing.read(sealedFile(name)), sealing.read(recordFile(name))];
    const run = await sealing.run(onion(name), { remove: true });
    const aside = /put aside as (\.removed\/dev\/\S+\.sops\.json): rm it/.exec(run.stderr)?.[1] ?? "";
    expect(sealing.read(aside)).toEqual(stood[0]);
    expect([isThere(sealedFile(name)), isThere(recordFile(name))]).toEqual([false, false]);
    git("rm", "-r", "--quiet", "--cached", "--ignore-unmatch", "nix");
    commit();
    const again = await sealing.run(onion(name));
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain(
      `sealed file ${sealedFile(name)} was put aside as ${aside} (${first.result.hostname}): `,
    );
    const [, remedy = ""] = /(mv .*) brings it back/.exec(again.stderr) ?? [];
    execFileSync("sh", ["-c", remedy], { cwd: sealing.folder });
    expect([sealing.read(sealedFile(name)), sealing.read(recordFile(name))]).toEqual(stood);
    expect((await sealing.run(onion(name))).result.hostname).toBe(first.result.hostname);
  });
});

describe.skipIf(missing.length > 0)(`an onion key that git's HEAD has and the work tree lacks${why}`, () => {
  it("is not made again: it is said how to get it back, and by what it opens", async () => {
    const first = await sealing.run(onion("destroyed"));
    commit();
    for (const file of [sealedFile("destroyed"), recordFile("destroyed")]) fs.rmSync(inProject(file));
    const run = await sealing.run(onion("destroyed"));
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toBe(
      `destroyed: sealed file ${sealedFile("destroyed")} is missing here, git's HEAD has it (${first.result.hostname}): ` +
        `git checkout HEAD -- 'nix/stacks/dev/destroyed.*' brings it back, ${sealing.keyUrl} opens it, ` +
        "or set generation to 2 for a new onion address\n",
    );
    expect(isThere(sealedFile("destroyed"))).toBe(false);
    execFileSync("sh", ["-c", "git checkout HEAD -- 'nix/stacks/dev/destroyed.*'"], { cwd: sealing.folder });
    // The new deployment has another key, which the old one is re-wrapped for.
    const back = await sealing.run({ ...onion("destroyed"), keyUrl: await sealing.rotateKey() });
    expect(back.result).toMatchObject({ action: "rewrapped", hostname: first.result.hostname });
  });

  it("is not made again where git does not say what it has", async () => {
    await sealing.run(onion("unseen"));
    commit();
    for (const file of [sealedFile("unseen"), recordFile("unseen")]) fs.rmSync(inProject(file));
    const run = await sealing.run(onion("unseen"), { environment: { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" } });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /^unseen: cannot see what git's HEAD has: this repository belongs to another user: type git config --global /,
    );
    expect(isThere(sealedFile("unseen"))).toBe(false);
    git("checkout", "HEAD", "--", "nix/stacks/dev/unseen.*"); // git says it again
    expect((await sealing.run(onion("unseen"))).result.action).toBe("unchanged");
  });

  it("is made again for a new generation, and where its removal was committed", async () => {
    const first = await sealing.run(onion("again"));
    commit();
    await sealing.run(onion("again"), { remove: true });
    const second = await sealing.run({ ...onion("again"), generation: 2 });
    expect(second.result.action).toBe("sealed");
    expect(second.result.hostname).not.toBe(first.result.hostname);
    await sealing.run(onion("again"), { remove: true });
    fs.rmSync(inProject(".removed"), { recursive: true });
    git("rm", "-r", "--quiet", "--cached", "nix");
    commit();
    expect((await sealing.run(onion("again"))).result.action).toBe("sealed");
  });

  it("stays lost where nobody says its generation: even a higher one makes none", async () => {
    await sealing.run(onion("no-record"));
    fs.rmSync(inProject(recordFile("no-record")));
    commit();
    fs.rmSync(inProject(sealedFile("no-record")));
    const run = await sealing.run({ ...onion("no-record"), generation: 3 });
    expect(run.stderr).toContain("or set generation to 4 for a new onion address");
  });
});

const noAge = findOnPath("age-keygen") ? "" : " (skipped: needs age on PATH)";
describe.skipIf(missing.length > 0 || noAge !== "")(`recovery from git and an age key alone${noAge || why}`, () => {
  it("gives a new deployment the old address, in a clone and without the old vault", async () => {
    const keyFile = inProject("age-key.txt");
    const said = execFileSync("sh", ["-c", `age-keygen -o ${keyFile} 2>&1`], { encoding: "utf8" });
    const age = /age1\w+/.exec(said)?.[0] ?? "";
    const lostKey = await sealing.rotateKey();
    const first = await sealing.run({ ...onion("recovered"), keyUrl: lostKey, age: [age] });
    commit();
    const version = lostKey.split("/").at(-1) ?? "";
    sealing.azure.cloud.keys.update(sealing.vaultId, "sealing", version, { enabled: false });
    for (const file of ["nix", ".cache", ".removed"]) fs.rmSync(inProject(file), { recursive: true, force: true });
    const recovered = { ...onion("recovered"), age: [age] };
    const refused = await sealing.run(recovered);
    expect(refused.stderr).toContain(`brings it back, ${lostKey} or ${age} opens it`);
    git("checkout", "HEAD", "--", "nix/stacks/dev/recovered.*");
    const run = await sealing.run(recovered, { environment: { SOPS_AGE_KEY_FILE: keyFile } });
    expect(run.result).toMatchObject({ action: "rewrapped", hostname: first.result.hostname });
    git("checkout", "HEAD", "--", "nix");
  });
});

describe.skipIf(missing.length > 0)(`adopt${why}`, () => {
  const adopt = (name: string) => sealing.start("secrets", ["adopt", name]);

  beforeAll(async () => {
    const names = ["nothing", "torn", "swapped", "lent", "plain", "copied"];
    const secrets = Object.fromEntries(names.map((name) => [name, { source: { onion: {} } }]));
    const plain = { source: { file: "token" } };
    const config = { "sealed-onion:secrets": { ...secrets, plain, copied: plain } };
    fs.writeFileSync(inProject("Pulumi.dev.yaml"), stringify({ config }));
    sealing.write("token", "value");
    sealing.write("nix/stacks/dev/facts.json", JSON.stringify({ vault: { keyUrl: sealing.keyUrl } }), 0o644);
  });

  it("makes nothing where both files are lost", async () => {
    const run = await adopt("nothing");
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing.sops.json is missing: restore it") });
    expect(isThere(sealedFile("nothing"))).toBe(false);
  });

  it.each(["torn", "plain"])("refuses a file that does not open, its record as it was: %s", async (name) => {
    const source = name === "plain" ? { source: { file: "token" } } : {};
    await sealing.run({ name, ...source, fingerprint: "1" });
    const record = sealing.record(name);
    const text = sealing.read(sealedFile(name)).toString();
    sealing.write(sealedFile(name), text.replace(/data:..../, "data:AAAA"), 0o644);
    for (const run of [await adopt(name), await sealing.run({ name, ...source, fingerprint: "1" })]) {
      expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot open: ") });
    }
    expect(sealing.record(name)).toEqual(record);
  });

  it("says which address changes into which, which an ordinary run refuses, and the list shows", async () => {
    const first = await sealing.run(onion("swapped"));
    const other = await sealing.run({ ...onion("elsewhere"), stack: "other" });
    const foreign = sealing.read("nix/stacks/other/elsewhere.sops.json");
    sealing.write(sealedFile("swapped"), foreign, 0o644);
    const [was, is] = [first.result.hostname, other.result.hostname];
    const refused = await sealing.run(onion("swapped"), { previous: first.result });
    expect(refused.stderr).toContain(`swapped.sops.json holds onion key ${is}, it was ${was}: git checkout -- `);
    const listed = await sealing.start("secrets", ["--json", "--stack", "dev"]);
    const view = (JSON.parse(listed.stdout) as SecretView[]).find(({ name }) => name === "swapped");
    expect(view).toMatchObject({ state: "changed", hostname: is, opens: true });
    expect(view?.reason).toContain(`it holds ${is}, the record says ${was}: npm run secrets -- adopt`);
    const run = await adopt("swapped");
    expect(run.stderr).toBe(`${sealedFile("swapped")}: adopted, its address changes from ${was} to ${is}\n`);
    expect((await sealing.run(onion("swapped"))).result).toMatchObject({ action: "unchanged", hostname: is });
  });

  it.each([
    ["onion key", "lent", {}],
    ["secret of a file", "copied", { source: { file: "token" } }],
  ])("and an ordinary run refuse a copy of another secret's file: %s", async (_, name, source) => {
    await sealing.run({ name, ...source, fingerprint: "1" });
    await sealing.run({ name: `owner-of-${name}`, ...source, fingerprint: "1" });
    for (const withRecord of [false, true]) {
      fs.copyFileSync(inProject(sealedFile(`owner-of-${name}`)), inProject(sealedFile(name)));
      if (withRecord) fs.copyFileSync(inProject(recordFile(`owner-of-${name}`)), inProject(recordFile(name)));
      const record = sealing.record(name);
      for (const run of [await adopt(name), await sealing.run({ name, ...source, fingerprint: "1" })]) {
        expect(run.code).toBe(1);
        expect(run.stderr).toMatch(/is the sealed file of secret owner-of-|holds onion key/);
      }
      expect(sealing.record(name)).toEqual(record);
    }
  });
});
