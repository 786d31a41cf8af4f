import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { onionHostname } from "../../../../components/onion/hostname";
import { formatSecretKeyFile, generateOnionKey, parseOnionKey } from "../../../../components/onion/keys";
import { findOnPath } from "../../../../components/process/find-program";
import { openSealed, type Sealing, startSealing } from "../sealing";

const noSops = !findOnPath("sops");
const why = noSops ? " (skipped: needs sops on PATH)" : "";
let sealing: Sealing;

beforeAll(async () => {
  sealing = await startSealing();
});
beforeEach(() => sealing.azure.requests.clear());
afterAll(() => sealing.close());

const sealedFile = (name: string) => `nix/stacks/dev/${name}.sops.json`;
const isThere = (file: string) => fs.existsSync(path.join(sealing.folder, file));
const remove = (file: string) => fs.rmSync(path.join(sealing.folder, file));
const open = (name: string) => openSealed(sealing, sealedFile(name));
const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

/** A socket that nobody listens at any more. */
function socketAt(file: string): void {
  const program = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, 9))';
  spawnSync(process.execPath, ["-e", program, file]);
}

async function hostnameInside(name: string): Promise<string> {
  return onionHostname((await parseOnionKey(await open(name))).publicKey);
}

describe.skipIf(noSops)(`an onion key${why}`, () => {
  it("is generated, sealed for the Key Vault key alone, and known by its hostname only", async () => {
    const run = await sealing.run({ name: "fresh", fingerprint: "onion:#1" });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const sealed = sealing.read(sealedFile("fresh"));
    expect(run.result).toEqual({
      path: sealedFile("fresh"),
      digest: sha256(sealed),
      hostname: await hostnameInside("fresh"),
      action: "sealed",
      generation: 1,
      fingerprint: "onion:#1",
    });
    const { sops } = JSON.parse(sealed.toString()) as { sops: Record<string, unknown[]> };
    expect(sops.azure_kv).toMatchObject([
      { vault_url: "https://test-vault.vault.azure.net", name: "sealing", version: sealing.keyUrl.split("/").at(-1) },
    ]);
    expect(sealing.record("fresh")).toMatchObject({
      version: 1,
      source: { onion: {} },
      generation: 1,
      fingerprint: "onion:#1",
      keyUrl: sealing.keyUrl,
      recipients: { age: [], pgp: [] },
      digest: sha256(sealed),
      onion: { hostname: run.result.hostname },
    });
  });

  it("is left byte for byte alone when nothing changed, without a call to the vault", async () => {
    const first = await sealing.run({ name: "calm", fingerprint: "onion:#1" });
    const before = [sealing.read(sealedFile("calm")), sealing.record("calm")];
    sealing.azure.requests.clear();
    const second = await sealing.run({ name: "calm", fingerprint: "onion:#1" }, { previous: first.result });
    expect(second.result).toEqual({ ...first.result, action: "unchanged" });
    expect([sealing.read(sealedFile("calm")), sealing.record("calm")]).toEqual(before);
    expect(sealing.azure.requests.entries).toHaveLength(0);
  });

  it("becomes a new one only when the generation grows", async () => {
    const first = await sealing.run({ name: "aging", fingerprint: "onion:#1" });
    const second = await sealing.run(
      { name: "aging", fingerprint: "onion:#2", generation: 2 },
      { previous: first.result },
    );
    expect(second.result).toMatchObject({ action: "sealed", generation: 2 });
    expect(second.result.hostname).not.toBe(first.result.hostname);
    const third = await sealing.run({ name: "aging", fingerprint: "onion:#1" }, { previous: second.result });
    expect(third.code).toBe(1);
    expect(third.stderr).toContain("onion key aging is of generation 2, not 1: git checkout an older");
    expect(await hostnameInside("aging")).toBe(second.result.hostname);
  });

  it("is not replaced when its prefix changes", async () => {
    const first = await sealing.run({ name: "named" });
    const run = await sealing.run({ name: "named", source: { onion: { prefix: "zzzz" } } }, { previous: first.result });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('which does not start with "zzzz": set generation to 2 for a new address');
    expect(await hostnameInside("named")).toBe(first.result.hostname);
  });

  it("has the prefix that is asked for", async () => {
    const run = await sealing.run({ name: "vanity", source: { onion: { prefix: "ab" } } });
    expect(run.result.hostname).toMatch(/^ab[a-z2-7]{54}\.onion$/);
    expect(await hostnameInside("vanity")).toBe(run.result.hostname);
  });

  it("is never silently replaced when its sealed file is gone", async () => {
    const first = await sealing.run({ name: "lost" });
    remove(sealedFile("lost"));
    const withRecord = await sealing.run({ name: "lost" });
    remove("nix/stacks/dev/lost.seal.json");
    const withState = await sealing.run({ name: "lost" }, { previous: first.result });
    for (const run of [withRecord, withState]) {
      expect(run).toMatchObject({ code: 1, stdout: "" });
      expect(run.stderr).toContain(
        "sealed file nix/stacks/dev/lost.sops.json is missing: restore it with git checkout -- nix/stacks/dev/lost.*, " +
          "or set generation to 2 for a new onion address",
      );
    }
    expect(isThere(sealedFile("lost"))).toBe(false);
    const bumped = await sealing.run({ name: "lost", generation: 2 }, { previous: first.result });
    expect(bumped.result).toMatchObject({ action: "sealed", generation: 2 });
  });

  it("is adopted when the run that made it was killed before the record", async () => {
    const first = await sealing.run({ name: "orphan", fingerprint: "onion:#1" });
    remove("nix/stacks/dev/orphan.seal.json");
    const before = sealing.read(sealedFile("orphan"));
    sealing.azure.requests.clear();
    const second = await sealing.run({ name: "orphan", fingerprint: "onion:#1" });
    expect(second.result).toEqual({ ...first.result, action: "adopted" });
    expect(sealing.read(sealedFile("orphan"))).toEqual(before);
    expect(sealing.record("orphan")).toMatchObject({ onion: { hostname: first.result.hostname } });
    expect(sealing.vaultCalls()).toEqual(["decrypt"]);
  });

  it("that a killed run made for a new generation is adopted, the old one is replaced", async () => {
    const first = await sealing.run({ name: "half" });
    const old = [sealing.read(sealedFile("half")), sealing.read("nix/stacks/dev/half.seal.json")];
    const second = await sealing.run({ name: "half", generation: 2 }, { previous: first.result });
    sealing.write("nix/stacks/dev/half.seal.json", old[1] ?? "", 0o644);
    const adopted = await sealing.run({ name: "half", generation: 2 }, { previous: first.result });
    expect(adopted.result).toMatchObject({ action: "adopted", hostname: second.result.hostname });
    // Now the old key, re-wrapped by hand: the record does not know the file, but the address tells that it is old.
    sealing.write(sealedFile("half"), Buffer.concat([old[0] ?? Buffer.of(), Buffer.from("\n")]), 0o644);
    sealing.write("nix/stacks/dev/half.seal.json", old[1] ?? "", 0o644);
    const replaced = await sealing.run({ name: "half", generation: 2 }, { previous: first.result });
    expect(replaced.result.action).toBe("sealed");
    expect(replaced.result.hostname).not.toBe(first.result.hostname);
  });

  it("in a damaged sealed file is an error, not a new key", async () => {
    await sealing.run({ name: "damaged" });
    sealing.write(sealedFile("damaged"), "<<<<<<< HEAD\n", 0o644);
    const run = await sealing.run({ name: "damaged" });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(
      "sealed file nix/stacks/dev/damaged.sops.json is damaged: restore it with git checkout",
    );
  });
});

describe.skipIf(noSops)(`an imported onion key${why}`, () => {
  const key = generateOnionKey();
  const hostname = onionHostname(key.publicKey);

  it("is sealed as tor reads it, from the file or from its base64, and checked against a hostname file", async () => {
    sealing.write("hs_ed25519_secret_key", formatSecretKeyFile(key));
    sealing.write("hostname", `${hostname}\n`, 0o644);
    const source = { file: "hs_ed25519_secret_key" };
    const run = await sealing.run({ name: "imported", source, kind: "onion", hostname: "hostname" });
    expect(run).toMatchObject({ code: 0, result: { hostname, action: "sealed" } });
    expect(await open("imported")).toEqual(formatSecretKeyFile(key));
    const environment = { ONION_KEY: formatSecretKeyFile(key).toString("base64") };
    const text = await sealing.run(
      { name: "from-text", source: { env: "ONION_KEY" }, kind: "onion", hostname },
      { environment },
    );
    expect(text.result.hostname).toBe(hostname);
    expect(await open("from-text")).toEqual(formatSecretKeyFile(key));
  });

  it("of another hostname is refused", async () => {
    sealing.write("hs_ed25519_secret_key", formatSecretKeyFile(key));
    const other = onionHostname(generateOnionKey().publicKey);
    const source = { file: "hs_ed25519_secret_key" };
    const run = await sealing.run({ name: "wrong", source, kind: "onion", hostname: other });
    expect(run).toMatchObject({
      code: 1,
      stderr: `wrong: onion key wrong is ${hostname}, not ${other}: correct its source or its hostname\n`,
    });
    expect(isThere(sealedFile("wrong"))).toBe(false);
  });

  it("that is damaged is refused here, not left for tor to replace", async () => {
    sealing.write("hs_ed25519_secret_key", formatSecretKeyFile(key).subarray(0, 95));
    const run = await sealing.run({ name: "cut", source: { file: "hs_ed25519_secret_key" }, kind: "onion" });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("onion secret key is damaged: it is 95 bytes long, must be 96");
  });
});

describe.skipIf(noSops)(`a secret from a file${why}`, () => {
  const source = { file: "token" };

  it("is sealed byte for byte, and a changed one again, alone", async () => {
    const content = Buffer.from([0, 1, 2, 255, 254, 10, 13]);
    sealing.write("token", content);
    const first = await sealing.run({ name: "bytes", source, fingerprint: "file:1" });
    expect(first.result).not.toHaveProperty("hostname");
    expect(await open("bytes")).toEqual(content);
    sealing.write("token", "changed\n");
    const second = await sealing.run({ name: "bytes", source, fingerprint: "file:2" }, { previous: first.result });
    expect(second.result.action).toBe("sealed");
    expect((await open("bytes")).toString()).toBe("changed\n");
  });

  it("needs its source no more once it is sealed", async () => {
    sealing.write("token", "value");
    const first = await sealing.run({ name: "sealed-once", source, fingerprint: "file:1" });
    remove("token");
    const second = await sealing.run(
      { name: "sealed-once", source, fingerprint: "file:1" },
      { previous: first.result },
    );
    expect(second).toMatchObject({ code: 0, result: { action: "unchanged" } });
  });

  it("is brought back by rolling git back, although its source is newer", async () => {
    sealing.write("token", "old");
    const first = await sealing.run({ name: "rolled", source, fingerprint: "file:old" });
    const old = [sealing.read(sealedFile("rolled")), sealing.read("nix/stacks/dev/rolled.seal.json")] as const;
    sealing.write("token", "new");
    const options = { previous: first.result };
    const second = await sealing.run({ name: "rolled", source, fingerprint: "file:new" }, options);
    sealing.write(sealedFile("rolled"), old[0], 0o644);
    sealing.write("nix/stacks/dev/rolled.seal.json", old[1], 0o644);
    // The command runs for some other reason, here a new recipient of which the old file knows nothing.
    const keyUrl = await sealing.rotateKey();
    const third = await sealing.run(
      { name: "rolled", source, fingerprint: "file:new", keyUrl },
      { previous: second.result },
    );
    expect(third.result.action).toBe("rewrapped");
    expect((await open("rolled")).toString()).toBe("old");
    expect(sealing.record("rolled").fingerprint).toBe("file:old");
  });

  it("whose record is lost stands if it is what the source says, without new ciphertext", async () => {
    sealing.write("token", "value");
    await sealing.run({ name: "forgotten", source, fingerprint: "file:1" });
    const before = sealing.read(sealedFile("forgotten"));
    remove("nix/stacks/dev/forgotten.seal.json");
    const same = await sealing.run({ name: "forgotten", source, fingerprint: "file:1" });
    expect(same.result.action).toBe("adopted");
    expect(sealing.read(sealedFile("forgotten"))).toEqual(before);
    expect(sealing.record("forgotten")).not.toHaveProperty("byHand");
    remove("nix/stacks/dev/forgotten.seal.json");
    sealing.write("token", "other");
    const other = await sealing.run({ name: "forgotten", source, fingerprint: "file:2" });
    expect(other.result.action).toBe("sealed");
  });

  it.each([
    ["missing", () => {}, "does not exist"],
    ["empty", () => sealing.write("bad", ""), "is empty"],
    ["a folder", () => fs.mkdirSync(path.join(sealing.folder, "bad")), "is a directory"],
    ["a pipe", () => execFileSync("mkfifo", [path.join(sealing.folder, "bad")]), "is no regular file"],
    ["a device", () => fs.symlinkSync("/dev/zero", path.join(sealing.folder, "bad")), "is no regular file"],
    [
      "a link to itself",
      () => fs.symlinkSync("bad", path.join(sealing.folder, "bad")),
      "cannot be read: its links lead in a circle",
    ],
    ["a socket", () => socketAt(path.join(sealing.folder, "bad")), "cannot be read: it is a socket, or"],
    ["readable by everybody", () => sealing.write("bad", "hunter2", 0o644), "is readable by everybody (mode 0644)"],
  ])("that is %s is refused by name", async (_, make, reason) => {
    fs.rmSync(path.join(sealing.folder, "bad"), { recursive: true, force: true });
    make();
    const run = await sealing.run({ name: "refused", source: { file: "bad" } });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(`refused: source file:bad ${reason}`);
    expect(run.stderr).not.toContain("hunter2");
    expect(isThere(sealedFile("refused"))).toBe(false);
    expect(sealing.azure.requests.entries).toHaveLength(0);
  });
});

describe.skipIf(noSops)(`a secret's life${why}`, () => {
  it("goes on under another name with `from`: same key, same bytes", async () => {
    const first = await sealing.run({ name: "old-name", fingerprint: "onion:#1" });
    const before = sealing.read(sealedFile("old-name"));
    sealing.azure.requests.clear();
    const secret = { name: "new-name", from: "old-name", fingerprint: "onion:#1" };
    const moved = await sealing.run(secret, { previous: first.result });
    expect(moved.result).toMatchObject({ action: "moved", hostname: first.result.hostname });
    expect(sealing.read(sealedFile("new-name"))).toEqual(before);
    expect(isThere(sealedFile("old-name"))).toBe(false);
    expect(isThere("nix/stacks/dev/old-name.seal.json")).toBe(false);
    expect(sealing.azure.requests.entries).toHaveLength(0);
    const again = await sealing.run(secret, { previous: moved.result });
    expect(again.result.action).toBe("unchanged");
  });

  it("goes on under another name when the run that moved it was killed half-way", async () => {
    const first = await sealing.run({ name: "here", fingerprint: "onion:#1" });
    fs.renameSync(path.join(sealing.folder, sealedFile("here")), path.join(sealing.folder, sealedFile("there")));
    const moved = await sealing.run({ name: "there", from: "here", fingerprint: "onion:#1" });
    expect(moved.result).toMatchObject({ hostname: first.result.hostname, digest: first.result.digest });
    expect(isThere("nix/stacks/dev/here.seal.json")).toBe(false);
  });

  it("ends with its declaration: nothing of it is left", async () => {
    await sealing.run({ name: "gone" });
    const run = await sealing.run({ name: "gone" }, { remove: true });
    expect(run).toMatchObject({ code: 0, stdout: "" });
    expect(isThere(sealedFile("gone"))).toBe(false);
    expect(isThere("nix/stacks/dev/gone.seal.json")).toBe(false);
    expect((await sealing.run({ name: "gone" }, { remove: true })).code).toBe(0);
  });

  it("is apart in each stack", async () => {
    sealing.write("token", "shared");
    for (const stack of ["dev", "prod"]) {
      const run = await sealing.run({ stack, name: "shared", source: { file: "token" } });
      expect(run.result.path).toBe(`nix/stacks/${stack}/shared.sops.json`);
    }
    await sealing.run({ stack: "prod", name: "shared" }, { remove: true });
    expect(isThere(sealedFile("shared"))).toBe(true);
  });

  it("is not led astray by a .sops.yaml or by the user's own sops variables", async () => {
    sealing.write(".sops.yaml", "creation_rules:\n  - age: age1nobody\n", 0o644);
    const environment = { SOPS_AGE_RECIPIENTS: "age1nobody", SOPS_PGP_FP: "0".repeat(40), SOPS_KMS_ARN: "arn:aws:kms" };
    const run = await sealing.run({ name: "plain" }, { environment });
    remove(".sops.yaml");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const { sops } = JSON.parse(sealing.read(sealedFile("plain")).toString()) as { sops: object };
    expect(Object.keys(sops).sort()).toEqual(["azure_kv", "lastmodified", "mac", "version"]);
  });

  it("leaves nothing in between on disk", async () => {
    await sealing.run({ name: "tidy" });
    expect(fs.readdirSync(path.join(sealing.folder, ".cache/seal/dev"))).toEqual([]);
  });

  it.each([
    ["KEY_URL", "https://vault.azure.net/keys/one", "KEY_URL must be https://HOST/keys/NAME/VERSION, got"],
    ["GENERATION", "0", "GENERATION must be a whole number above 0"],
    ["SECRET", "../../etc/passwd", 'SECRET must be a plain name, got "../../etc/passwd"'],
    ["STACK", undefined, "STACK is not set: pulumi up runs this program, with its whole environment"],
    ["SOURCE", "{", "SOURCE must be JSON, got {"],
  ])("cannot start with a wrong %s", async (variable, value, message) => {
    const run = await sealing.run({ name: "usage" }, { environment: { [variable]: value } });
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(message);
  });
});
