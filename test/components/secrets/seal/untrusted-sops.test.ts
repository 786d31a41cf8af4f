import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import type { ToolName } from "../../../../components/process/tools";
import type { SealRecord } from "../../../../components/secrets/seal/seal-record";
import { type Run, type Sealing, startSealing } from "../sealing";

const tools: ToolName[] = ["sops", "age"];
const missing = tools.filter((tool) => !findOnPath(tool));
const why = missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "";
const sops = findOnPath("sops") ?? "";

const secret = "plaintext-that-nobody-may-see-5d1f";
const someone = makeAgeRecipient();
const stranger = makeAgeRecipient();

let sealing: Sealing;
let bin: string;
/** The onion key and the token as they stand before each try. */
let before: Record<string, [sealed: Buffer, record: SealRecord]>;
const sealedFile = (name: string) => `nix/stacks/dev/${name}.sops.json`;

function makeAgeRecipient(): string {
  if (missing.length > 0) return "";
  return /age1\w+/.exec(execFileSync("age-keygen", { encoding: "utf8", stdio: "pipe" }))?.[0] ?? "";
}

beforeAll(async () => {
  sealing = await startSealing();
  bin = path.join(sealing.folder, "bin");
  fs.mkdirSync(bin);
  if (missing.length > 0) return;
  sealing.write("token", "the old value");
  const first = [await sealing.run({ name: "onion-key", fingerprint: "onion:#1" }), await sealToken("file:1")];
  for (const run of first) expect(run).toMatchObject({ code: 0, stderr: "" });
  sealing.write("token", secret);
  const pair = (name: string): [Buffer, SealRecord] => [sealing.read(sealedFile(name)), sealing.record(name)];
  before = { "onion-key": pair("onion-key"), token: pair("token") };
});
afterEach(() => sealing.azure.faults.clear());
afterAll(() => sealing.close());

function sealToken(fingerprint: string, environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  return sealing.run({ name: "token", source: { file: "token" }, fingerprint, age: [someone] }, { environment });
}

/** Puts a program named sops before the real one on PATH. @param script of sh; $SOPS is the real one */
function withFake(script: string): NodeJS.ProcessEnv {
  fs.writeFileSync(path.join(bin, "sops"), `#!/bin/sh\nSOPS=${sops}\n${script}\n`, { mode: 0o755 });
  return { PATH: `${bin}:${process.env.PATH}`, SEAL_PATIENCE_SECONDS: "2" };
}

/** Nothing was sealed, what stood stands, and the secret is nowhere. */
function expectNothingChanged(run: Run): void {
  expect(run).toMatchObject({ code: 1, stdout: "" });
  for (const [name, [sealed, record]] of Object.entries(before)) {
    expect(sealing.read(sealedFile(name))).toEqual(sealed);
    expect(sealing.record(name)).toEqual(record);
  }
  expect(run.stderr).not.toContain(secret);
  const written = execFileSync("find", ["nix", ".cache", "-type", "f"], { cwd: sealing.folder, encoding: "utf8" });
  for (const file of written.trim().split("\n")) expect(sealing.read(file).includes(secret), file).toBe(false);
  expect(written).not.toContain("fresh");
}

/** What sops seals with one piece of it changed. */
const edited = (expression: string) => `"$SOPS" "$@" | sed '${expression}'`;
/** sops itself, with one argument more behind the command. */
const asked = (more: string) => `command=$3; shift 3; exec "$SOPS" --config /dev/null "$command" ${more} "$@"`;

const liars: [what: string, script: string, reason: string][] = [
  ["that prints nothing", "cat > /dev/null", "sops ended well, but printed nothing"],
  ["that loses standard input", 'exec "$SOPS" "$@" < /dev/null', "is no sealed file"],
  ["that prints a warning first", 'echo "warning: an update is there"; exec "$SOPS" "$@"', "is no sealed file"],
  ["that prints a word after it", '"$SOPS" "$@"; echo done', "is no sealed file"],
  ["that is cat", "exec cat", "is no sealed file"],
  ["whose output is cut", '"$SOPS" "$@" | head -c 300', "is no sealed file"],
  ["whose data is cut", edited('s/^\\(.*"data": "ENC.AES256_GCM,data:\\)..../\\1/'), "bytes long, the secret is"],
  ["whose data is empty", edited('s/^\\(."data": \\)".*"/\\1""/'), "is no sealed file"],
  ["whose data is not encrypted", edited('s/^\\(."data": \\)".*"/\\1"clear"/'), "is no sealed file"],
  [
    "that was asked for one more",
    edited(`s/"age": \\[/"age": [{"recipient":"${stranger}","enc":""},/`),
    "also for age1",
  ],
  ["of a key group", edited('s/"sops": {/"sops": {"key_groups":[{}],/'), "also for key_groups"],
  ["of another kind of key", edited('s/"sops": {/"sops": {"hc_vault":[{"enc":"x"}],/'), "also for hc_vault"],
  ["of a kind that is not known yet", edited('s/"sops": {/"sops": {"new_kind":[{"enc":"x"}],/'), "also for new_kind"],
  ["of another key", edited('s/"name": "sealing"/"name": "other"/'), "also for https://test-vault"],
  ["that names its keys twice", edited('s/"sops": {/"sops": {"age":[{"recipient":"x"}]},&/'), "is no sealed file"],
  [
    "that names another vault in other letters",
    edited('s/"vault_url":/"Vault_URL": "https:..evil", &/'),
    "is no sealed",
  ],
  ["that has its data twice", edited('s/^{/{"data": "clear",/'), "is no sealed file"],
  ["that says more than it should", edited('s/^{/{"note": "hello",/'), "is no sealed file"],
  ["that begins with a byte order mark", 'printf "\\357\\273\\277"; exec "$SOPS" "$@"', "is no sealed file"],
  [
    "that puts what it was given into a field of its own",
    'cat > "$HOME/given"; "$SOPS" "$@" < "$HOME/given" | sed "s|\\"sops\\": {|&\\"seen\\": \\"$(base64 -w0 "$HOME/given")\\",|"; rm "$HOME/given"',
    "holds the secret in clear",
  ],
  ["with an empty wrapped key", edited('s/"enc": "[^"]*"/"enc": ""/'), "is empty or cut"],
  ["with a cut wrapped key", edited('s/"enc": "\\(.\\{60\\}\\)[^"]*"/"enc": "\\1"/'), "is empty or cut"],
];

describe.skipIf(missing.length > 0)(`a sops on PATH${why}`, () => {
  it.each([...liars, ["that forgets a recipient", withoutAge(), "not for age1"] as const])(
    "%s seals no secret",
    async (_, script, reason) => {
      const run = await sealToken("file:2", withFake(script));
      expect(run.stderr).toMatch(/^token: cannot seal: [^\n]*\n$/);
      expect(run.stderr).toContain(reason);
      expectNothingChanged(run);
    },
  );

  it.each(liars)("%s replaces no onion key in a re-wrap, and makes none", async (_, script) => {
    const lie = `case "$*" in *decrypt*) exec "$SOPS" "$@";; esac\n${script}`;
    const environment = withFake(lie);
    const onion = { fingerprint: "onion:#1", age: [someone] };
    expectNothingChanged(await sealing.run({ name: "onion-key", ...onion }, { environment }));
    expectNothingChanged(await sealing.run({ name: "fresh", ...onion }, { environment }));
  });

  it.each([
    ["another plaintext of the same length", 'cat > /dev/null; head -c 96 /dev/zero | "$SOPS" "$@"'],
    ["with another data key", edited('s/^\\(."data": "ENC.AES256_GCM,data:\\)..../\\1AAAA/')],
  ])("that seals %s replaces no onion key, and makes none", async (_, script) => {
    const environment = withFake(`case "$*" in *decrypt*) exec "$SOPS" "$@";; esac\n${script}`);
    const onion = { fingerprint: "onion:#1", age: [someone] };
    expectNothingChanged(await sealing.run({ name: "onion-key", ...onion }, { environment }));
    expectNothingChanged(await sealing.run({ name: "fresh", ...onion }, { environment }));
  });

  it.each([
    ["what it was given", "cat >&2; exit 3"],
    ["a part of it in a line of its own", "head -c 25 >&2; exit 3"],
    ["it behind a known phrase", 'printf "Could not generate data key: " >&2; cat >&2; exit 3'],
    ["it in what looks like Entra's words", 'printf "AADSTS50001: " >&2; cat >&2; exit 3'],
    ["words that nobody knows", "echo something new >&2; exit 3"],
  ])("that fails and prints %s is not quoted", async (_, script) => {
    const run = await sealToken("file:2", withFake(script));
    expect(run.stderr).toBe(
      "token: cannot seal: sops ended with code 3, its words are not shown as they may repeat the secret: " +
        "echo test | sops encrypt --input-type binary --azure-kv KEY_URL /dev/stdin shows them without it\n",
    );
    expectNothingChanged(run);
  });
});

/** Leaves `--age X` out. */
function withoutAge(): string {
  return asked("").replace('"$@"', `$(echo "$@" | sed "s/--age [^ ]*//")`);
}

describe.skipIf(missing.length > 0)(`a Key Vault that answers 200${why}`, () => {
  const answer = (body: object) =>
    sealing.azure.faults.add({
      host: "test-vault.vault.azure.net",
      path: /\/encrypt/,
      effect: {
        kind: "answer",
        status: 200,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      },
    });

  it.each([
    ["with nothing", {}],
    ["with an empty ciphertext", { kid: "https://test-vault.vault.azure.net/keys/sealing/1", value: "" }],
    ["with a few bytes", { value: "AAAA" }],
  ])("%s to encrypt seals nothing", async (_, body) => {
    answer(body);
    const environment = { SEAL_PATIENCE_SECONDS: "2" };
    const onion = { fingerprint: "onion:#1", age: [someone] };
    for (const run of [
      await sealToken("file:2", environment),
      await sealing.run({ name: "onion-key", ...onion }, { environment }),
      await sealing.run({ name: "fresh", ...onion }, { environment }),
    ]) {
      expect(run.stderr).toMatch(/cannot seal: the data key for https:\S+ is empty or cut: check what answers there/);
      expectNothingChanged(run);
    }
  });

  it("with a ciphertext of the right length that is not of its key gets no onion key", async () => {
    answer({ value: randomBytes(256).toString("base64url") });
    const environment = { SEAL_PATIENCE_SECONDS: "2" };
    const onion = { fingerprint: "onion:#1", age: [someone] };
    for (const name of ["onion-key", "fresh"]) {
      const run = await sealing.run({ name, ...onion }, { environment });
      expect(run.stderr).toMatch(/cannot open what was just sealed: Key Vault answers 400/);
      expectNothingChanged(run);
    }
  });
});
