import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FleetMachineStatus } from "../../../../components/fleet/fleet-status";
import { findOnPath } from "../../../../components/process/find-program";
import { type BlobStore, startBlobStore } from "../../image/upload/blob-store";
import { runCommand, startCommand, until } from "../../image/upload/run-command";
import { exampleStatus, HOSTNAME } from "../../vm/status/example-status";

const noAge = ["age", "age-keygen"].some((program) => !findOnPath(program));
const ownAddress = (number: number) => `${"b".repeat(55)}${number}.onion`;
const nameOf = (role: string) => `sealed-onion-dev-${role}-abcdef`;

let store: BlobStore;
let folder: string;
beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "fleet-"));
  const facts = path.join(folder, "nix", "stacks", "dev");
  fs.mkdirSync(facts, { recursive: true });
  const site = [1, 2].map((number) => ({ secret: `onion-replica-${number}`, hostname: ownAddress(number) }));
  const content = {
    status: { containerUrl: store.containerUrl },
    services: { site: { hostname: HOSTNAME } },
    replica: { services: { site } },
  };
  fs.writeFileSync(path.join(facts, "facts.json"), JSON.stringify(content));
});
afterAll(async () => {
  fs.rmSync(folder, { recursive: true });
  await store.close();
});
beforeEach(async () => {
  for await (const { name } of store.container.listBlobsFlat()) await store.container.deleteBlob(name);
});

const put = (name: string, content: string | Buffer) =>
  store.container.getBlockBlobClient(name).upload(content, Buffer.byteLength(content));

function write(role: string, more: Partial<FleetMachineStatus>): Promise<unknown> {
  const status = { ...exampleStatus({ machine: nameOf(role) }), ...more };
  return put(`${status.machine}.json`, JSON.stringify(status));
}

async function replica(number: number, change: Partial<FleetMachineStatus> = {}): Promise<void> {
  const site = { hostname: ownAddress(number), published: "2026-06-01T00:00:00Z", state: "own" as const };
  await write(`replica-${number}`, { services: { site }, replica: number, zone: `${number}`, ...change });
}

async function wholeFleet(): Promise<void> {
  const now = new Date().toISOString();
  const backends = [1, 2].map((number) => [ownAddress(number), { introductionPoints: 2, fetched: now }]);
  const balanced = { published: now, uploading: false, failedUploads: 0, backends: Object.fromEntries(backends) };
  await write("front-end-1", { frontEnd: { [HOSTNAME]: balanced } });
  for (const number of [1, 2]) await replica(number);
}

const status = (...args: string[]) => runCommand("status", folder, store.environment(), args);

describe("npm run status of several machines", () => {
  it("shows each of them, and ends with 0 where they serve", async () => {
    await wholeFleet();
    const { code, stdout } = await status();
    expect(stdout).toMatch(/^replica 2 {4}zone 2, published .*, 2 introduction points in the address$/m);
    expect(stdout).toMatch(/\nit serves\n$/);
    expect(code).toBe(0);
  });

  it("says that the second front end is missing, where the stack's file asks for two", async () => {
    await wholeFleet();
    const file = path.join(folder, "Pulumi.dev.yaml");
    fs.writeFileSync(file, "config:\n  sealed-onion:frontEnd: { replicas: 2 }\n");
    const { code, stdout } = await status().finally(() => fs.rmSync(file));
    expect(stdout).toContain("front end 2: it has never said anything");
    expect(code).toBe(0);
  });

  it("ends with 1 where none serves", async () => {
    await wholeFleet();
    for (const number of [1, 2]) await replica(number, { tor: { state: "failed", version: "0", why: "no key" } });
    const { code, stdout } = await status("--json");
    expect(JSON.parse(stdout)).toMatchObject({ serving: false, problem: "replica 1: tor is failed: no key" });
    expect(code).toBe(1);
  });

  it("prints at each change with --watch, until Ctrl-C", async () => {
    await wholeFleet();
    const { child, ended } = startCommand("status", folder, store.environment(), ["--watch"]);
    let said = "";
    child.stdout?.on("data", (text: string) => {
      said += text;
    });
    const verdicts = () => said.match(/^it .*$/gm) ?? [];
    await until("it is shown once", () => verdicts().length === 1);
    await replica(1, { secrets: { state: "failed", why: "HTTP 403" } });
    await until("the change is shown", () => verdicts().length === 2);
    child.kill("SIGINT");
    await ended;
    expect(verdicts()[1]).toMatch(/^it serves: replica 1: the secrets are still sealed: HTTP 403/);
  });

  it.skipIf(noAge)("shows the journal of each that there is, and of none that is gone (needs age)", async () => {
    await wholeFleet();
    const key = path.join(folder, "key");
    execFileSync("age-keygen", ["-o", key], { stdio: "ignore" });
    const recipient = execFileSync("age-keygen", ["-y", key]).toString().trim();
    const seal = (text: string) => execFileSync("age", ["--encrypt", "-r", recipient], { input: text });
    await write("replica-1-old", { replica: 1, written: "2026-01-01T00:00:00Z" });
    for (const role of ["replica-1-old", "replica-1", "front-end-1"]) {
      await put(`${nameOf(role)}.log.age`, seal(`of ${role}\n`));
    }
    const own = { ...store.environment(), SOPS_AGE_KEY_FILE: key };
    const { code, stdout } = await runCommand("status", folder, own, ["--logs"]);
    expect(stdout).toBe(`==> ${nameOf("replica-1")}\nof replica-1\n==> ${nameOf("front-end-1")}\nof front-end-1\n`);
    expect(code).toBe(0);
  });
});
