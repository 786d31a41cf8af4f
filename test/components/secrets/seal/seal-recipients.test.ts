import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { bech32 } from "@scure/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import type { ToolName } from "../../../../components/process/tools";
import { helperPrograms } from "../../../../components/secrets/seal/helper-programs";
import { openSealed, type Run, type Sealing, type SecretParameters, startSealing } from "../sealing";

const tools: ToolName[] = ["sops", "age", "ssh-keygen", "gpg"];
const missing = tools.filter((tool) => !findOnPath(tool));
const why = missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "";

const source = { file: "token" };
const sealedFile = (name: string) => `nix/stacks/dev/${name}.sops.json`;

interface Person {
  recipient: string;
  /** What sops needs to open as this person. */
  environment: NodeJS.ProcessEnv;
}

let sealing: Sealing;
let keys: string;
let ageKey: Person;
let otherAgeKey: Person;
let sshKey: Person;
let pgpKey: Person;

function makeAgeKey(name: string): Person {
  const file = path.join(keys, name);
  execFileSync("age-keygen", ["-o", file], { stdio: "ignore" });
  const recipient = execFileSync("age-keygen", ["-y", file], { encoding: "utf8" }).trim();
  return { recipient, environment: { SOPS_AGE_KEY_FILE: file } };
}

function makeSshKey(): Person {
  const file = path.join(keys, "ssh");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  const recipient = fs.readFileSync(`${file}.pub`, "utf8").trim();
  return { recipient, environment: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: file } };
}

/** In a throw-away home; its path must be short, as gpg's agent has a socket in it. */
function makePgpKey(): Person {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "gpg-"));
  const gpg = (...argv: string[]) =>
    execFileSync("gpg", ["--homedir", home, "--batch", "--quiet", ...argv], { encoding: "utf8", stdio: "pipe" });
  gpg("--passphrase", "", "--quick-generate-key", "somebody@example.org", "default", "default", "never");
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg("--list-keys", "--with-colons"))?.[1] ?? "";
  return { recipient: fingerprint, environment: { GNUPGHOME: home } };
}

beforeAll(async () => {
  sealing = await startSealing();
  if (missing.length > 0) return;
  keys = fs.mkdtempSync(path.join(os.tmpdir(), "recipients-"));
  ageKey = makeAgeKey("age");
  otherAgeKey = makeAgeKey("other-age");
  sshKey = makeSshKey();
  pgpKey = makePgpKey();
});
afterAll(async () => {
  await sealing.close();
  if (missing.length > 0) return;
  const home = pgpKey.environment.GNUPGHOME ?? "";
  execFileSync("gpgconf", ["--homedir", home, "--kill", "all"]);
  for (const folder of [keys, home]) fs.rmSync(folder, { recursive: true, force: true });
});

function seal(
  name: string,
  secret: Partial<SecretParameters>,
  options: Parameters<Sealing["run"]>[1] = {},
): Promise<Run> {
  const environment = { ...pgpKey.environment, ...options.environment };
  return sealing.run({ name, source, fingerprint: "file:1", ...secret }, { ...options, environment });
}

/** Opens as somebody who has no Azure at all. */
async function openAs(person: Person, name: string): Promise<string> {
  const environment = { AZURE_TOKEN_CREDENTIALS: "dev", ...person.environment };
  return (await openSealed(sealing, sealedFile(name), environment)).toString();
}

const foreignKey = {
  vault_url: "https://foreign.vault.azure.net",
  name: "k",
  version: "1",
  created_at: "2026-01-01T00:00:00Z",
  enc: "x",
};

interface Metadata {
  azure_kv?: { version: string; enc: string }[];
  age?: { recipient: string }[];
  pgp?: { fp: string }[];
}

function metadata(name: string): Metadata {
  return (JSON.parse(sealing.read(sealedFile(name)).toString()) as { sops: Metadata }).sops;
}

describe.skipIf(missing.length > 0)(`recipients besides the vault${why}`, () => {
  it("open a sealed file each alone when the vault is gone", async () => {
    sealing.write("token", "recover me");
    const run = await seal("recovered", {
      age: [ageKey.recipient, sshKey.recipient],
      pgp: [pgpKey.recipient],
    });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    for (const person of [ageKey, sshKey, pgpKey]) expect(await openAs(person, "recovered")).toBe("recover me");
    await expect(openAs(otherAgeKey, "recovered")).rejects.toThrow("no master key was able to decrypt");
  });

  it("are told apart by whether their key is known here", async () => {
    const unknown = "0123456789ABCDEF0123456789ABCDEF01234567";
    const run = await seal("unknown", { pgp: [unknown] });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(
      `the public key of PGP recipient ${unknown} is not in the keyring: gpg --recv-keys ${unknown}, or gpg --import its file`,
    );
  });
});

describe.skipIf(missing.length > 0)(`a recipient that cannot be sealed for${why}`, () => {
  beforeAll(() => {
    sealing.write("token", "for nobody");
  });
  const gpg = (...argv: string[]) => {
    const all = ["--homedir", pgpKey.environment.GNUPGHOME ?? "", "--batch", "--quiet", "--passphrase", "", ...argv];
    return execFileSync("gpg", all, { encoding: "utf8", stdio: "pipe" });
  };
  const fingerprintOf = (user: string) =>
    /^fpr:+([0-9A-F]{40}):/m.exec(gpg("--list-keys", "--with-colons", user))?.[1] ?? "";
  const aged = ["--faked-system-time", "20200101T000000!"];

  it.each([
    [
      "signs only",
      ["--quick-generate-key", "signs@x.org", "ed25519", "sign", "never"],
      "none that is valid now is for enc",
    ],
    [
      "expired",
      [...aged, "--quick-generate-key", "old@x.org", "rsa2048", "encr", "1y"],
      "it expired on 2020-12-31: gpg --quick-set-",
    ],
  ])("(a PGP key that %s) is named with its reason", async (_, argv, reason) => {
    gpg(...argv);
    const recipient = fingerprintOf(argv.find((word) => word.endsWith("@x.org")) ?? "");
    const run = await seal("unusable", { pgp: [recipient] });
    expect(run.stderr).toContain(`PGP recipient ${recipient} cannot encrypt: `);
    expect(run.stderr).toContain(reason);
    expect(run.code).toBe(1);
  });

  it("(a PGP key that is short, though its first part is long) is named with its length", async () => {
    gpg(...aged, "--quick-generate-key", "short@x.org", "rsa3072", "sign", "never");
    const recipient = fingerprintOf("short@x.org");
    gpg(...aged, "--quick-add-key", recipient, "rsa1024", "encr", "never");
    const run = await seal("unusable", { pgp: [recipient] });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toBe(
      `unusable: cannot seal: PGP recipient ${recipient} encrypts with a key of 1024 bits, 2048 are the least: ` +
        `gpg --quick-add-key ${recipient} rsa3072 encr, or take another one\n`,
    );
    gpg("--quick-add-key", recipient, "rsa3072", "encr", "never"); // the remedy
    expect(await seal("usable", { pgp: [recipient] })).toMatchObject({ code: 0, stderr: "" });
  });

  it.each([
    ["gpg", () => ({ pgp: [pgpKey.recipient] })],
    ["age-plugin-se", () => ({ age: [encodeAge("age1se", 33)] })],
  ])("(one whose program %s hangs) is named, not the vault", async (program, recipients) => {
    const bin = fs.mkdtempSync(path.join(keys, "hanging-"));
    fs.writeFileSync(path.join(bin, program), '#!/bin/sh\ncase "$*" in *--list-keys*) exit 0;; esac\nsleep 600\n', {
      mode: 0o755,
    });
    const environment = { PATH: `${bin}:${process.env.PATH}`, SEAL_PATIENCE_SECONDS: "4" };
    const run = await seal("hanging", recipients(), { environment });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toBe(
      `hanging: cannot seal: ${program} does not answer in time: it may wait for a passphrase, a PIN or a touch: ` +
        "run it by hand, or change sealed-onion:recipients\n",
    );
    if (program === "gpg") expect((await seal("hanging", recipients())).code).toBe(0); // it answers again
  });

  it("(a PGP key, without gpg) says what to install", async () => {
    const programs = path.join(keys, "programs");
    fs.mkdirSync(programs);
    for (const name of ["sh", "cat", "node", "sops"]) fs.symlinkSync(findOnPath(name) ?? "", path.join(programs, name));
    const run = await seal("unusable", { pgp: [pgpKey.recipient] }, { environment: { PATH: programs } });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain("gpg is not on PATH, and a recipient is a PGP key");
  });

  it("(a plugin's age key, without the plugin) says what to install", async () => {
    const run = await seal("unusable", { age: [encodeAge("age1se", 33)] });
    expect(run.stderr).toContain("a recipient is a key of the age plugin se, and age-plugin-se is not on PATH");
  });

  it("(a post-quantum age key) is taken where this sops takes it, and else says which one does", async () => {
    // Its words are right, but are no point of the curve: a sops that knows the kind may say so as well.
    const run = await seal("unusable", { age: [encodeAge("age1pq", 1216)] });
    if (run.code !== 0) expect(run.stderr).toMatch(/this sops cannot seal for (post-quantum age keys|an age key of)/);
  });
});

/** A public key of age's by its form alone. */
function encodeAge(kind: string, bytes: number): string {
  return bech32.encode(kind, bech32.toWords(Buffer.alloc(bytes, 7)), false);
}

describe("the programs that sops asks for recipients", () => {
  it.each([
    [{ age: [], pgp: ["A".repeat(40)] }, {}, ["gpg"]],
    [
      { age: [encodeAge("age1se", 33), encodeAge("age1yubikey", 33)], pgp: [] },
      {},
      ["age-plugin-se", "age-plugin-yubikey"],
    ],
    [{ age: [encodeAge("age", 32), encodeAge("age1pq", 1216), "ssh-ed25519 AAAA"], pgp: [] }, {}, []],
    [{ age: [], pgp: [] }, { SOPS_AGE_KEY_CMD: "cat key" }, ["SOPS_AGE_KEY_CMD"]],
  ])("%#", (recipients, environment, programs) => {
    expect(helperPrograms(recipients, environment)).toEqual(programs);
  });
});

describe.skipIf(missing.length > 0)(`a change of recipients re-wraps without the source${why}`, () => {
  beforeAll(() => {
    sealing.write("token", "kept");
  });

  /** Seals once, takes the source away, and seals for others. @returns also what the file said before */
  async function rewrap(name: string, first: Partial<SecretParameters>, then: Partial<SecretParameters>) {
    sealing.write("token", "kept");
    const sealed = await seal(name, first);
    const before = metadata(name);
    fs.rmSync(path.join(sealing.folder, "token"));
    const run = await seal(name, then, { previous: sealed.result });
    expect(run).toMatchObject({ code: 0, stderr: "", result: { action: "rewrapped" } });
    expect((await openSealed(sealing, sealedFile(name))).toString()).toBe("kept");
    expect(sealing.record(name)).toMatchObject({ digest: run.result.digest, fingerprint: "file:1" });
    return { run, before };
  }

  it("when one is added", async () => {
    await rewrap("added", {}, { age: [ageKey.recipient, sshKey.recipient], pgp: [pgpKey.recipient] });
    for (const person of [ageKey, sshKey, pgpKey]) expect(await openAs(person, "added")).toBe("kept");
    expect(sealing.record("added").recipients).toEqual({
      age: [ageKey.recipient, sshKey.recipient],
      pgp: [pgpKey.recipient],
    });
  });

  it("when one is removed, with a new data key: the old one opens nothing any more", async () => {
    const all = { age: [ageKey.recipient, sshKey.recipient], pgp: [pgpKey.recipient] };
    const { before } = await rewrap("removed", all, { age: [sshKey.recipient] });
    expect(metadata("removed").age).toMatchObject([{ recipient: sshKey.recipient }]);
    expect(metadata("removed")).not.toHaveProperty("pgp");
    expect(await openAs(sshKey, "removed")).toBe("kept");
    for (const person of [ageKey, pgpKey]) await expect(openAs(person, "removed")).rejects.toThrow();
    // Anyone who kept the old data key (here: its copy for the removed recipient) puts it into the newer file.
    const newer = JSON.parse(sealing.read(sealedFile("removed")).toString()) as { sops: Metadata };
    sealing.write(sealedFile("mixed"), JSON.stringify({ ...newer, sops: { ...newer.sops, age: before.age } }));
    await expect(openAs(ageKey, "mixed")).rejects.toThrow();
  });

  it("when the Key Vault key has a new version", async () => {
    const keyUrl = await sealing.rotateKey();
    await rewrap("rotated", { age: [ageKey.recipient] }, { age: [ageKey.recipient], keyUrl });
    expect(metadata("rotated").azure_kv).toMatchObject([{ version: keyUrl.split("/").at(-1) }]);
    expect(metadata("rotated").age).toHaveLength(1);
    expect(sealing.record("rotated").keyUrl).toBe(keyUrl);
  });

  it("also for an onion key, which stays the same", async () => {
    const first = await sealing.run({ name: "onion-key", fingerprint: "onion:#1" });
    const second = await sealing.run(
      { name: "onion-key", fingerprint: "onion:#1", age: [ageKey.recipient] },
      { previous: first.result },
    );
    expect(second.result).toMatchObject({ action: "rewrapped", hostname: first.result.hostname });
    expect(await openAs(ageKey, "onion-key")).toContain("== ed25519v1-secret: type0 ==");
  });

  it("not if only their order changed: nothing is written", async () => {
    sealing.write("token", "kept");
    const first = await seal("ordered", { age: [ageKey.recipient, sshKey.recipient] });
    sealing.azure.requests.clear();
    const second = await seal("ordered", { age: [sshKey.recipient, ageKey.recipient] }, { previous: first.result });
    expect(second.result).toMatchObject({ action: "unchanged", digest: first.result.digest });
    expect(sealing.azure.requests.entries).toHaveLength(0);
  });

  it("goes by the file itself: what sops changed by hand is put right", async () => {
    sealing.write("token", "kept");
    const first = await seal("by-hand", {});
    const file = path.join(sealing.folder, sealedFile("by-hand"));
    const changed = await sealing.startRaw("sops", ["rotate", "-i", "--add-age", otherAgeKey.recipient, file]);
    expect(changed.code).toBe(0);
    const second = await seal("by-hand", {}, { previous: first.result });
    expect(second.result.action).toBe("rewrapped");
    await expect(openAs(otherAgeKey, "by-hand")).rejects.toThrow();
  });

  it.each<[string, (sops: Record<string, unknown[]>) => object]>([
    [
      "of another kind",
      (sops) => ({
        ...sops,
        kms: [{ arn: "arn:aws:kms:x", enc: "x", created_at: "2026-01-01T00:00:00Z", aws_profile: "" }],
      }),
    ],
    ["of another vault", (sops) => ({ ...sops, azure_kv: [...(sops.azure_kv ?? []), foreignKey] })],
  ])("goes by the file itself: a key %s that was added by hand is gone again", async (_, change) => {
    sealing.write("token", "kept");
    const first = await seal("foreign", {}, {});
    const file = JSON.parse(sealing.read(sealedFile("foreign")).toString()) as { sops: Record<string, unknown[]> };
    sealing.write(sealedFile("foreign"), JSON.stringify({ ...file, sops: change(file.sops) }), 0o644);
    const second = await seal("foreign", {}, { previous: first.result });
    expect(second.stderr).toBe("");
    expect(second.result.action).toBe("rewrapped");
    expect(Object.keys(metadata("foreign")).sort()).toEqual(["azure_kv", "lastmodified", "mac", "version"]);
    expect(metadata("foreign").azure_kv).toHaveLength(1);
  });

  it("says how to go on when the old key version is gone", async () => {
    sealing.write("token", "kept");
    const keyUrl = await sealing.rotateKey();
    const first = await seal("stuck", { keyUrl });
    const version = keyUrl.split("/").at(-1) ?? "";
    sealing.azure.cloud.keys.update(sealing.vaultId, "sealing", version, { enabled: false });
    const before = sealing.read(sealedFile("stuck"));
    const second = await seal("stuck", {}, { previous: first.result });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("Operation decrypt is not allowed on a disabled key");
    expect(second.stderr).toContain("npm run secrets -- reseal stuck --stack dev seals it from its source instead");
    expect(sealing.read(sealedFile("stuck"))).toEqual(before);
  });

  it("by a key that is given, without a word to a vault that is not the stack's any more", async () => {
    sealing.write("token", "kept");
    const first = await seal("former", { age: [ageKey.recipient] });
    const host = /(?<=https:..)test-vault\.vault\.azure\.net/g;
    const sealed = sealing.read(sealedFile("former")).toString().replace(host, "gone-vault.vault.azure.net");
    sealing.write(sealedFile("former"), sealed, 0o644);
    const digest = createHash("sha256").update(sealed).digest("hex");
    const record = JSON.stringify({ ...sealing.record("former"), digest }).replace(host, "gone-vault.vault.azure.net");
    sealing.write("nix/stacks/dev/former.seal.json", record, 0o644);
    fs.rmSync(path.join(sealing.folder, "token"));
    sealing.azure.requests.clear();
    const options = { previous: first.result, environment: ageKey.environment };
    const second = await seal("former", { age: [ageKey.recipient] }, options);
    expect(second).toMatchObject({ code: 0, stderr: "", result: { action: "rewrapped" } });
    expect(sealing.azure.requests.entries.filter((entry) => entry.host.startsWith("gone-vault"))).toEqual([]);
    expect((await openSealed(sealing, sealedFile("former"))).toString()).toBe("kept");
  });

  it("works without the vault for anyone who has another key", async () => {
    sealing.write("token", "kept");
    const old = await sealing.rotateKey();
    const first = await seal("recover", { keyUrl: old, age: [ageKey.recipient] });
    sealing.azure.cloud.keys.update(sealing.vaultId, "sealing", old.split("/").at(-1) ?? "", { enabled: false });
    const options = { previous: first.result, environment: ageKey.environment };
    const second = await seal("recover", { age: [ageKey.recipient] }, options);
    expect(second).toMatchObject({ code: 0, result: { action: "rewrapped" } });
    expect((await openSealed(sealing, sealedFile("recover"))).toString()).toBe("kept");
  });
});
