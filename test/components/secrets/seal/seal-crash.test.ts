import { execFileSync } from "node:child_process";
import { constants, createDecipheriv, createHash, privateDecrypt, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { onionHostname } from "../../../../components/onion/hostname";
import { parseOnionKey } from "../../../../components/onion/keys";
import { findOnPath } from "../../../../components/process/find-program";
import type { ToolName } from "../../../../components/process/tools";
import { parseRecord } from "../../../../components/secrets/seal/seal-record";
import { LeakSearch } from "../../../rehearsal/leaks";
import { volume } from "../../../volume";
import { type Run, type Sealing, type SecretParameters, startSealing } from "../sealing";

/** How many runs are killed in all. */
const kills = volume({ usual: 60, long: 400 });
/** How many run side by side: kills meet a busy machine as well. */
const lanes = 4;

const tools: ToolName[] = ["sops", "age"];
const missing = tools.filter((tool) => !findOnPath(tool));
const isLinux = fs.existsSync("/proc/self/environ") && fs.existsSync("/dev/shm");
const skipped = missing.length > 0 || !isLinux;
const why = skipped ? ` (skipped: needs ${[...missing, ...(isLinux ? [] : ["/proc and /dev/shm"])].join(", ")})` : "";

const canary = "canary-plaintext-7c0f1d0e";
const edited = "edited-plaintext-91b2aa30";

let sealing: Sealing;
let recipient: string;
let environment: NodeJS.ProcessEnv;
/** A folder in memory, where edits have their files. */
let memory: string;
const sealedFile = (name: string) => path.join(sealing.folder, `nix/stacks/dev/${name}.sops.json`);

beforeAll(async () => {
  sealing = await startSealing();
  if (skipped) return;
  const temporary = path.join(sealing.folder, "tmp");
  fs.mkdirSync(temporary);
  // Whatever a program leaves in a usual place is found by the search.
  memory = fs.mkdtempSync("/dev/shm/seal-crash-");
  const places = { TMPDIR: temporary, XDG_CACHE_HOME: temporary, XDG_CONFIG_HOME: temporary, XDG_RUNTIME_DIR: memory };
  environment = { CANARY: canary, ...places };
  recipient = /age1\w+/.exec(execFileSync("age-keygen", { encoding: "utf8", stdio: "pipe" }))?.[0] ?? "";
  const editor = path.join(sealing.folder, "editor");
  fs.writeFileSync(editor, `#!/bin/sh\nsleep 0.1\nprintf ${edited} > "$1"\nsleep 0.1\n`, { mode: 0o755 });
  environment.EDITOR = editor;
});
afterAll(async () => {
  await sealing.close();
  if (!skipped) fs.rmSync(memory, { recursive: true });
});

/** What is killed: a state before, the run itself, and what may stand afterwards. */
interface Scene {
  name: string;
  /** Brings a fresh secret to where the run starts from. */
  prepare(name: string): void;
  run(name: string, options: { environment: NodeJS.ProcessEnv; onStart: (pid: number) => void }): Promise<Run>;
  /** The plaintexts that the sealed file may hold afterwards; undefined: there may be no file. */
  allowed: (string | undefined)[];
}

const fromVariable: Partial<SecretParameters> = { source: { env: "CANARY" }, fingerprint: "env:1" };

let starts = 0;

/** Every secret starts from the same sealed file, but for spaces at its end: two secrets never share one. */
function sealFirst(name: string): void {
  const record = (of: string) => sealedFile(of).replace(".sops.", ".seal.");
  starts += 1;
  const content = `${fs.readFileSync(sealedFile("first"), "utf8")}${" ".repeat(starts)}`;
  fs.writeFileSync(sealedFile(name), content);
  const digest = createHash("sha256").update(content).digest("hex");
  fs.writeFileSync(record(name), JSON.stringify({ ...JSON.parse(fs.readFileSync(record("first"), "utf8")), digest }));
}

const scenes: Scene[] = [
  {
    name: "a new onion key",
    prepare: () => {},
    run: (name, options) => sealing.run({ name, fingerprint: "onion:#1" }, options),
    allowed: [undefined, "onion"],
  },
  {
    name: "a changed secret",
    prepare: sealFirst,
    run: (name, options) =>
      sealing.run(
        { name, ...fromVariable, fingerprint: "env:2" },
        { ...options, environment: { ...options.environment, CANARY: `${canary}-changed` } },
      ),
    allowed: [canary, `${canary}-changed`],
  },
  {
    name: "a re-wrap",
    prepare: sealFirst,
    run: (name, options) => sealing.run({ name, ...fromVariable, age: [recipient] }, options),
    allowed: [canary],
  },
  {
    name: "an edit",
    prepare: sealFirst,
    run: (name, options) => sealing.start("secrets", ["edit", name], options),
    allowed: [canary, edited],
  },
];

describe.skipIf(skipped)(`kill -9 at ${kills} random points${why}`, () => {
  it("leaves the old sealed file or the new one, no plaintext on a disk and no child", {
    timeout: 900_000,
  }, async () => {
    configureEdits();
    expect(await sealing.run({ name: "first", ...fromVariable }, { environment })).toMatchObject({ code: 0 });
    const limits = await Promise.all(scenes.map(durationOf));
    const waiting = Array.from({ length: kills }, (_, index) => index).values();
    const killed: boolean[] = [];
    const lane = async () => {
      for (const index of waiting) {
        const scene = scenes[index % scenes.length];
        const limit = limits[index % scenes.length];
        if (scene && limit) killed.push(await killOnce(scene, `victim-${index}`, Math.random() * limit));
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    // Most were really killed, and not over before.
    expect(killed.filter((was) => was).length).toBeGreaterThan(kills / 2);
    search();
    await recover();
  });
});

describe.skipIf(skipped)(`a run that is broken off while the vault hangs${why}`, () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s ends at once with all it started; the next one goes on", async (signal, code) => {
    const hang = sealing.azure.faults.add({ host: /vault/, path: /encrypt/, effect: { kind: "hang" } });
    const mark = randomUUID();
    const name = `broken-off-by-${signal.toLowerCase()}`;
    const started = sealing.run(
      { name, ...fromVariable },
      {
        environment: { ...environment, CRASH_MARK: mark },
        onStart: (pid) => {
          void until(() => hang.hits > 0, "the vault is asked").then(() => process.kill(pid, signal));
        },
      },
    );
    expect((await started).code).toBe(code);
    await untilNoProcessHas(mark);
    hang.remove();
    expect(fs.existsSync(sealedFile(name))).toBe(false);
    expect((await sealing.run({ name, ...fromVariable }, { environment })).result.action).toBe("sealed");
  });

  it.each([
    ["Node", false],
    ["a shell that nobody answered", true],
  ])("by kill -9 of the program that ran %s ends as well", async (_, asPulumi) => {
    const hang = sealing.azure.faults.add({ host: /vault/, path: /encrypt/, effect: { kind: "hang" } });
    const mark = randomUUID();
    const started = sealing.run(
      { name: "orphaned", ...fromVariable },
      {
        asPulumi,
        environment: { ...environment, CRASH_MARK: mark },
        // Stands for the engine: it starts the command by a shell, as pulumi-command does.
        through: ["sh", "-c", '"$@"; exit $?', "sh"],
        onStart: (pid) => {
          void until(() => hang.hits > 0, "the vault is asked").then(() => process.kill(pid, "SIGKILL"));
        },
      },
    );
    await started;
    await untilNoProcessHas(mark);
    hang.remove();
  });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Edits go by the declarations of the stack. */
function configureEdits(): void {
  const names = Array.from({ length: kills }, (_, index) => `victim-${index}`);
  const secrets = Object.fromEntries([...names, "trial-3"].map((name) => [name, { source: { env: "CANARY" } }]));
  const text = stringify({ config: { "sealed-onion:secrets": secrets } });
  fs.writeFileSync(path.join(sealing.folder, "Pulumi.dev.yaml"), text);
}

/** How long a run takes when nobody kills it. Milliseconds. */
async function durationOf(scene: Scene, index: number): Promise<number> {
  scene.prepare(`trial-${index}`);
  const start = Date.now();
  const run = await scene.run(`trial-${index}`, { environment, onStart: () => {} });
  expect(run).toMatchObject({ code: 0 });
  return Date.now() - start;
}

/** @returns whether the run was still going when it was killed */
async function killOnce(scene: Scene, name: string, afterMs: number): Promise<boolean> {
  scene.prepare(name);
  const mark = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  const run = await scene.run(name, {
    environment: { ...environment, CRASH_MARK: mark },
    onStart: (pid) => {
      timer = setTimeout(() => process.kill(pid, "SIGKILL"), afterMs);
    },
  });
  clearTimeout(timer);
  await untilNoProcessHas(mark);
  await checkSealed(scene, name);
  return run.code === null;
}

/** The mark is in the environment of everything that the run started, whatever became of it. */
function untilNoProcessHas(mark: string): Promise<void> {
  return until(() => processesWith(mark).length === 0, `the processes with the mark ${mark} end`);
}

function processesWith(mark: string): string[] {
  return fs.readdirSync("/proc").filter((entry) => {
    try {
      return /^\d+$/.test(entry) && fs.readFileSync(`/proc/${entry}/environ`, "latin1").includes(mark);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

async function checkSealed(scene: Scene, name: string): Promise<void> {
  if (!fs.existsSync(sealedFile(name))) return expect(scene.allowed, `${scene.name}: no file`).toContain(undefined);
  const plaintext = openInMemory(fs.readFileSync(sealedFile(name)));
  if (scene.allowed.includes("onion")) await parseOnionKey(plaintext);
  else expect(scene.allowed).toContain(plaintext.toString());
  const record = sealedFile(name).replace(".sops.", ".seal.");
  if (fs.existsSync(record)) expect(parseRecord(fs.readFileSync(record))).toBeDefined();
}

/** Opens a sealed file as sops does, with the vault's own key and without a process for each. */
function openInMemory(content: Buffer): Buffer {
  const { data, sops } = JSON.parse(content.toString()) as {
    data: string;
    sops: { azure_kv: { enc: string; version: string }[] };
  };
  const { enc = "", version = "" } = sops.azure_kv[0] ?? {};
  const key = sealing.azure.cloud.keys.version(sealing.vaultId, "sealing", version)?.privateKey;
  if (!key) throw new Error(`no key version ${version}`);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const dataKey = privateDecrypt({ key, padding, oaepHash: "sha256" }, Buffer.from(enc, "base64url"));
  const [, text = "", iv = "", tag = ""] = /^ENC\[AES256_GCM,data:(.*),iv:(.*),tag:(.*),type:str\]$/.exec(data) ?? [];
  const decipher = createDecipheriv("aes-256-gcm", dataKey, Buffer.from(iv, "base64"));
  decipher.setAuthTag(Buffer.from(tag, "base64")).setAAD(Buffer.from("data:"));
  return Buffer.concat([decipher.update(text, "base64"), decipher.final()]);
}

function search(): void {
  const planted = path.join(sealing.folder, "planted");
  fs.writeFileSync(planted, Buffer.from(canary).toString("hex"));
  fs.rmSync(path.join(sealing.folder, "editor")); // it has to know what it types
  const found = new LeakSearch([
    { name: "secret", bytes: Buffer.from(canary) },
    { name: "edited", bytes: Buffer.from(edited) },
  ]);
  found.searchFolder(sealing.folder);
  expect(found.leaks).toEqual([{ plaintext: "secret", form: "hex", where: planted }]);
  expect(fs.readdirSync(memory).filter((name) => /^sealed-onion-.{36}$/.test(name))).toEqual([]);
}

/** The next run goes on from every kind of wreck: no onion address is lost, nothing half-written stays. */
async function recover(): Promise<void> {
  const onions = Array.from({ length: kills }, (_, index) => index).filter((index) => index % scenes.length === 0);
  const interrupted = onions.map((index) => `victim-${index}`).filter((name) => fs.existsSync(sealedFile(name)));
  for (const name of interrupted.slice(0, 20)) {
    const { publicKey } = await parseOnionKey(openInMemory(fs.readFileSync(sealedFile(name))));
    const run = await sealing.run({ name, fingerprint: "onion:#1" }, { environment });
    expect(run.result.hostname).toBe(onionHostname(publicKey));
  }
  const changed = await sealing.run({ name: "victim-1", ...fromVariable, fingerprint: "env:3" }, { environment });
  expect(changed.result.action).toBe("sealed");
  expect(
    fs.readdirSync(path.join(sealing.folder, ".cache/seal/dev")).filter((file) => file.startsWith("victim-1.")),
  ).toEqual([]);
}
