import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { readShared } from "../../../../components/secrets/sources/shared-reading";
import { openSealed, type Run, type Sealing, startSealing } from "../sealing";

const missing = ["sops", "pass", "gpg"].filter((tool) => !findOnPath(tool));
const why = missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "";

it("a source is read again in the same process once it has changed", async () => {
  let times = 0;
  const read = async () => {
    times += 1;
    return Buffer.from(`reading ${times}`);
  };
  const source = { pass: "in/one-process" };
  const texts = [];
  for (const trace of ["a", "a", "b"]) texts.push((await readShared([source, trace], read)).toString());
  expect(texts).toEqual(["reading 1", "reading 1", "reading 2"]);
});

describe.skipIf(missing.length > 0)(`an entry of the password store that several secrets share${why}`, () => {
  let sealing: Sealing;
  let home: string;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    sealing = await startSealing();
    home = fs.mkdtempSync(path.join(os.tmpdir(), "gpg-")); // short: gpg's agent has a socket in it
    environment = { GNUPGHOME: home, PASSWORD_STORE_DIR: path.join(home, "store") };
    const key = ["--quick-generate-key", "somebody@example.org", "default", "default", "never"];
    execFileSync("gpg", ["--quiet", "--batch", "--passphrase", "", ...key], options());
    pass(["init", "somebody@example.org"]);
  });
  beforeEach(() => {
    insert("first");
    // Of this test's processes alone.
    environment.XDG_RUNTIME_DIR = fs.mkdtempSync(path.join(home, "run-"));
  });
  afterEach(() => sealing.azure.faults.clear());
  afterAll(async () => {
    execFileSync("gpgconf", ["--homedir", home, "--kill", "all"]);
    fs.rmSync(home, { recursive: true, force: true });
    await sealing.close();
  });

  const options = () => ({ env: { PATH: process.env.PATH, HOME: home, ...environment }, stdio: "pipe" as const });
  const pass = (argv: string[], input = "") => execFileSync("pass", argv, { ...options(), input });
  const insert = (content: string) => pass(["insert", "--multiline", "--force", "shared"], content);
  const sealedFile = (name: string) => `nix/stacks/dev/${name}.sops.json`;
  const opened = async (name: string) => (await openSealed(sealing, sealedFile(name))).toString();
  const trace = () =>
    `pass:${createHash("sha256")
      .update(fs.readFileSync(path.join(home, "store", "shared.gpg")))
      .digest("hex")}`;

  function seal(name: string, more: NodeJS.ProcessEnv = {}, onStart?: (pid: number) => void): Promise<Run> {
    const secret = { name, source: { pass: "shared" }, fingerprint: trace() };
    return sealing.run(secret, { environment: { ...environment, ...more }, ...(onStart && { onStart }) });
  }

  /** A `pass` that says that it was started, and then does this before it reads. */
  function passThat(does: string) {
    const bin = fs.mkdtempSync(path.join(home, "bin-"));
    const [started, gate] = [path.join(bin, "started"), path.join(bin, "gate")];
    const real = findOnPath("pass");
    const script = `#!/bin/sh\necho x >> ${started}\n${does.replace("GATE", `while [ ! -e ${gate} ]; do sleep 0.05; done`)}\nexec ${real} "$@"\n`;
    fs.writeFileSync(path.join(bin, "pass"), script, { mode: 0o755 });
    return {
      path: { PATH: `${bin}:${process.env.PATH}` },
      times: () => (fs.existsSync(started) ? fs.readFileSync(started, "utf8").length / 2 : 0),
      open: () => fs.writeFileSync(gate, ""),
    };
  }

  /** What was sealed is what the entry says now, under the entry's own trace. */
  async function expectNow(name: string, content: string): Promise<void> {
    expect(await opened(name)).toBe(content);
    expect(sealing.record(name).fingerprint).toBe(trace());
  }

  it("is refused by those who wait for it if it is edited while it is read; the next run seals what it says then", async () => {
    const slow = passThat("GATE");
    const runs = ["one", "two"].map((name) => seal(name, slow.path));
    await expect.poll(slow.times, { timeout: 30_000 }).toBe(1);
    insert("second");
    slow.open();
    const ended = await Promise.all(runs);
    const refused = ended.filter(({ code }) => code === 1);
    expect(refused.length).toBeGreaterThan(0); // who looked at the entry only after the edit reads it again
    for (const { stderr, stdout } of refused) {
      expect(stderr).toMatch(/source of (one|two) changed while it was read: run it again\n$/);
      expect(`${stdout}${stderr}`).not.toMatch(/first|second/);
    }
    for (const { result } of ended.filter(({ code }) => code === 0)) expect(result.fingerprint).toBe(trace());
    for (const run of await Promise.all([seal("one"), seal("two")])) expect(run).toMatchObject({ code: 0 });
    for (const name of ["one", "two"]) await expectNow(name, "second");
  });

  it("is read again by anyone who starts after an edit, though another still seals what it said before", async () => {
    const before = trace();
    const slow = sealing.azure.faults.add({
      host: "test-vault.vault.azure.net",
      path: /encrypt/,
      times: 1,
      effect: { kind: "delay", milliseconds: 5_000 },
    });
    const early = seal("early");
    await expect.poll(() => slow.hits, { timeout: 30_000 }).toBe(1);
    insert("second");
    expect(await seal("late")).toMatchObject({ code: 0, stderr: "" });
    expect(await early).toMatchObject({ code: 0 });
    expect([await opened("early"), sealing.record("early").fingerprint]).toEqual(["first", before]);
    await expectNow("late", "second");
  });

  it("is asked once where what reads it is killed, each of them says so, and the next run goes on", async () => {
    const killed = passThat("sleep 1; kill -9 $$");
    const runs = await Promise.all(["a", "b"].map((name) => seal(name, killed.path)));
    for (const run of runs) {
      expect(run).toMatchObject({ code: 1, stdout: "" });
      expect(run.stderr).toContain("source pass:shared cannot be decrypted");
    }
    expect(killed.times()).toBe(1);
    expect(await seal("a")).toMatchObject({ code: 0 });
    expect(await opened("a")).toBe("first");
  });

  it("is read by the next one where the seal that was reading it is killed", async () => {
    const slow = passThat("GATE");
    let reader = 0;
    const killed = seal("killed", slow.path, (pid) => {
      reader = pid;
    });
    await expect.poll(slow.times, { timeout: 30_000 }).toBe(1);
    const other = seal("other", slow.path);
    process.kill(reader, "SIGKILL");
    await killed;
    slow.open();
    expect(await other).toMatchObject({ code: 0 });
    expect(await opened("other")).toBe("first");
  });
});
