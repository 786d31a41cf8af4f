import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MachineStatus } from "../../../../components/vm/status/machine-status";
import { type BlobStore, startBlobStore } from "../../image/upload/blob-store";
import { type RunningCommand, runCommand, startCommand, until } from "../../image/upload/run-command";
import { exampleStatus } from "./example-status";

const MACHINE = "sealed-onion-dev-abc123";

let store: BlobStore;
let folder: string;
beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "status-"));
});
afterAll(async () => {
  fs.rmSync(folder, { recursive: true });
  await store.close();
});
beforeEach(async () => {
  for await (const { name } of store.container.listBlobsFlat()) await store.container.deleteBlob(name);
});

/** As the machine does. */
async function write(change: Partial<MachineStatus> = {}, machine = MACHINE): Promise<void> {
  const content = JSON.stringify(exampleStatus({ machine, ...change }));
  await store.container.getBlockBlobClient(`${machine}.json`).upload(content, Buffer.byteLength(content));
}

describe("await-machine", () => {
  function start(environment: NodeJS.ProcessEnv = {}): RunningCommand & { said: () => string } {
    const own = { CONTAINER_URL: store.containerUrl, MACHINE, PATIENCE: "60" };
    const running = startCommand("await-machine", folder, { ...store.environment(), ...own, ...environment });
    let said = "";
    running.child.stderr?.on("data", (text: string) => {
      said += text;
    });
    return { ...running, said: () => said };
  }

  it("waits until the machine serves, with a line for each thing that it still waits for", async () => {
    await write({}, "sealed-onion-dev-before"); // the machine before serves all the while
    const { ended, said } = start();
    await until("silence is told", () => said().includes(`${MACHINE} has not said anything yet`));
    await write({ secrets: { state: "activating", why: "HTTP 403" } });
    await until("the reason is told", () => said().includes("waiting: the secrets are still sealed: HTTP 403"));
    await write();
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ machine: MACHINE, system: exampleStatus().system });
  });

  it("fails with the machine's own reason where that does not happen in time", async () => {
    await write({ secrets: { state: "activating", why: "HTTP 403" } });
    const { code, stderr, stdout } = await start({ PATIENCE: "0.1" }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      `await-machine: ${MACHINE} does not serve after 0 minutes: the secrets are still sealed: HTTP 403: the machine before it stays; type npm run status\n`,
    );
    await write(); // it serves meanwhile
    expect((await start({ PATIENCE: "0.1" }).ended).code).toBe(0);
  });

  it("is not put off by what the machine said before it waited", async () => {
    const { system } = exampleStatus();
    const release = { path: system, generation: 7, signature: "" };
    const update = { generation: 7, path: system, at: "2026-06-01T00:00:00Z", why: "it is damaged" };
    const RELEASE = JSON.stringify(release);
    await write({ update: { ...update, outcome: "refused" } });
    const { ended, said } = start({ RELEASE });
    await until("it is told", () => said().includes("waiting: refuses system 7: it is damaged"));
    await write({ update: { ...update, outcome: "running", why: "" } });
    expect((await ended).code).toBe(0);
    const news = start({ RELEASE });
    await until("it waits", () => said().includes("waiting"));
    await write({ update: { ...update, at: "2026-06-01T00:00:05Z", outcome: "refused" } });
    const { code, stderr } = await news.ended;
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("refuses system 7: it is") });
  });

  it("ends with its parent's Ctrl-C", async () => {
    const { child, ended, said } = start();
    await until("it waits", () => said().includes("has not said anything yet"));
    child.kill("SIGINT");
    expect((await ended).code).not.toBe(0);
  });

  it("ends with code 2 where it is not told what to wait for", async () => {
    expect((await start({ MACHINE: "" }).ended).code).toBe(2);
  });
});

describe("npm run status", () => {
  beforeEach(() => {
    const facts = path.join(folder, "nix", "stacks", "dev");
    fs.mkdirSync(facts, { recursive: true });
    fs.writeFileSync(path.join(facts, "facts.json"), JSON.stringify({ status: { containerUrl: store.containerUrl } }));
  });

  const status = (...args: string[]) => runCommand("status", folder, store.environment(), args);

  it("shows the machine that spoke last, and ends with 0 where it serves", async () => {
    await write({ secrets: { state: "failed" } }, "sealed-onion-dev-before");
    await write();
    const { code, stdout } = await status();
    expect(stdout).toMatch(new RegExp(`^stack {6}dev, machine ${MACHINE}, .*\nit serves\n$`, "s"));
    expect(code).toBe(0);
  });

  it("ends with 1 where it does not, and --json says the same", async () => {
    await write({ tor: { state: "failed", version: "0", why: "no key" } });
    const { code, stdout } = await status("--json", "--stack", "dev");
    expect(JSON.parse(stdout)).toMatchObject({ stack: "dev", serving: false, problem: "tor is failed: no key" });
    expect(code).toBe(1);
  });

  it.each<[string, string[], number, RegExp]>([
    ["a mistyped option", ["--jsn"], 2, /^status: unknown option --jsn: did you mean --json\n$/],
    ["two forms at once", ["--json", "--prometheus"], 2, /exclude each other/],
    ["a stack that is not there", ["--stack", "prod"], 2, /^status: there is no stack prod here: dev\n$/],
    ["nobody who ever spoke", [], 3, /^status: no machine of dev has said anything yet: type pulumi up\n$/],
  ])("%s", async (_, args, expected, reads) => {
    const { code, stderr } = await status(...args);
    expect(stderr).toMatch(reads);
    expect(code).toBe(expected);
  });

  it("says how to have it where it is turned off", async () => {
    fs.writeFileSync(path.join(folder, "nix", "stacks", "dev", "facts.json"), "{}");
    const { code, stderr } = await status();
    expect(stderr).toBe(
      "status: dev writes no status: type pulumi config set sealed-onion:status true, then pulumi up\n",
    );
    expect(code).toBe(3);
  });

  it("says that there is no stack yet, as nobody who could be asked", async () => {
    fs.rmSync(path.join(folder, "nix", "stacks", "dev"), { recursive: true });
    const { code, stderr } = await status();
    expect(stderr).toBe("status: there is no stack yet: type pulumi up\n");
    expect(code).toBe(3);
  });

  it("--help says what it does", async () => {
    const { code, stdout } = await status("--help");
    expect(stdout).toContain("exit codes: 0 it serves");
    expect(code).toBe(0);
  });
});
