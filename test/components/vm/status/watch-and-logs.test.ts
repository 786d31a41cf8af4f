import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import type { MachineStatus } from "../../../../components/vm/status/machine-status";
import { type BlobStore, startBlobStore } from "../../image/upload/blob-store";
import { runCommand, startCommand, until } from "../../image/upload/run-command";
import { exampleStatus, HOSTNAME } from "./example-status";

const MACHINE = "sealed-onion-dev-abc123";
const noAge = ["age", "age-keygen"].some((program) => !findOnPath(program));
const without = noAge ? " (skipped: needs age on PATH)" : "";

let store: BlobStore;
let folder: string;
beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "watch-"));
  fs.mkdirSync(path.join(folder, "bin"));
  const facts = path.join(folder, "nix", "stacks", "dev");
  fs.mkdirSync(facts, { recursive: true });
  fs.writeFileSync(path.join(facts, "facts.json"), JSON.stringify({ status: { containerUrl: store.containerUrl } }));
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

function write(change: Partial<MachineStatus> = {}): Promise<unknown> {
  const status = exampleStatus({ machine: MACHINE, ...change });
  return put(`${status.machine}.json`, JSON.stringify(status));
}

function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = store.environment();
  return { ...own, HOME: folder, PATH: `${path.join(folder, "bin")}:${own.PATH ?? process.env.PATH}`, ...more };
}

describe("npm run status -- --watch", () => {
  it("prints at each change and at no other time, until Ctrl-C", async () => {
    await write();
    const { child, ended } = startCommand("status", folder, environment(), ["--watch"]);
    let said = "";
    child.stdout?.on("data", (text: string) => {
      said += text;
    });
    const verdicts = () => said.match(/^it .*$/gm) ?? [];
    await until("it is shown once", () => verdicts().length === 1);
    await write({ written: new Date().toISOString(), uptimeSeconds: 99_999 }); // no change that matters
    await write({ tor: { state: "failed", version: "0", why: "no key" } });
    await until("the change is shown", () => verdicts().length === 2);
    await write();
    await until("it is well again", () => verdicts().length === 3);
    expect(verdicts()).toEqual([
      "it serves",
      "it does not serve: tor is failed: no key: npm run status -- --watch",
      "it serves",
    ]);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ stderr: "" });
  });

  it("prints a JSON line at each change with --json", async () => {
    await write();
    const { child, ended } = startCommand("status", folder, environment(), ["--watch", "--json"]);
    let said = "";
    child.stdout?.on("data", (text: string) => {
      said += text;
    });
    await until("it is shown once", () => said.includes("\n"));
    child.kill("SIGINT");
    await ended;
    expect(JSON.parse(said)).toMatchObject({ stack: "dev", serving: true });
  });
});

describe("npm run status -- --probe", () => {
  /** Programs in place of tor and curl; with real ones: test/rehearsal/tor/probe.test.ts. */
  function install(curl: string): void {
    const program = (name: string, text: string) =>
      fs.writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program("tor", "echo 'Bootstrapped 100% (done): Done'\nexec sleep 60");
    program("curl", curl);
  }

  it("serves where each address answers over Tor, whatever it answers", async () => {
    await write();
    install(`printf '%s\\n' "$*" >> ${folder}/asked`);
    const { code, stdout } = await runCommand("status", folder, environment(), ["--probe"]);
    expect(stdout).toMatch(new RegExp(`^probe {6}${HOSTNAME} answered in \\d+(\\.\\d)? s$`, "m"));
    expect(code).toBe(0);
    expect(fs.readFileSync(path.join(folder, "asked"), "utf8")).toContain(`http://${HOSTNAME}/`);
  });

  it("does not serve where one does not, although the machine says that it does", async () => {
    await write();
    install("exit 97");
    const { code, stdout } = await runCommand("status", folder, environment(), ["--probe", "--json"]);
    const { probes, serving } = JSON.parse(stdout);
    expect(serving).toBe(true);
    expect(probes).toEqual([
      expect.objectContaining({
        hostname: HOSTNAME,
        problem: expect.stringMatching(/does not answer over Tor \(curl ends with 97 after/),
      }),
    ]);
    expect(code).toBe(1);
  });

  it("says what is missing where tor is not on PATH", async () => {
    await write();
    const bare = path.join(folder, "bare");
    fs.mkdirSync(bare);
    fs.symlinkSync("/bin/sh", path.join(bare, "sh"));
    const { code, stderr } = await runCommand("status", folder, environment({ PATH: bare }), ["--probe"]);
    expect(stderr).toMatch(/^status: --probe needs tor and curl on PATH\n$/);
    expect(code).toBe(2);
  });
});

describe.skipIf(noAge)(`npm run status -- --logs${without}`, () => {
  const key = () => path.join(folder, "key");
  const seal = (text: string, ...recipients: string[]) =>
    execFileSync("age", ["--encrypt", ...recipients.flatMap((one) => ["-r", one])], { input: text });
  let recipient: string;
  beforeAll(() => {
    execFileSync("age-keygen", ["-o", key()], { stdio: "ignore" });
    recipient = execFileSync("age-keygen", ["-y", key()]).toString().trim();
  });
  const logs = (more: NodeJS.ProcessEnv = {}, ...args: string[]) =>
    runCommand("status", folder, environment({ SOPS_AGE_KEY_FILE: key(), ...more }), ["--logs", ...args]);

  it("shows the journal of the machine that spoke last", async () => {
    await put("sealed-onion-dev-before.log.age", seal("older\n", recipient));
    await write();
    await put(`${MACHINE}.log.age`, seal("tor[1]: Bootstrapped 100%\n", recipient));
    expect(await logs()).toMatchObject({ code: 0, stdout: "tor[1]: Bootstrapped 100%\n", stderr: "" });
  });

  it("says which key does not open it", async () => {
    await write();
    await put(`${MACHINE}.log.age`, seal("text\n", recipient));
    const other = path.join(folder, "other");
    execFileSync("age-keygen", ["-o", other], { stdio: "ignore" });
    const { code, stdout, stderr } = await logs({ SOPS_AGE_KEY_FILE: other });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(
      /^status: .*other does not open the logs \(.*\): export SOPS_AGE_KEY_FILE=FILE with a recipient's key\n$/,
    );
  });

  it("says how to have them where there are none", async () => {
    await write();
    const { code, stderr } = await logs();
    expect(stderr).toBe(
      "status: no machine of dev has handed out logs: type pulumi config set --path 'sealed-onion:logs.units[0]' tor.service, then pulumi up\n",
    );
    expect(code).toBe(3);
  });

  it.each(["--json", "--watch", "--probe", "--prometheus"])("is no status, and refuses %s", async (other) => {
    const { code, stderr } = await logs({}, other);
    expect(stderr).toBe(`status: --logs and ${other} exclude each other: leave one out\n`);
    expect(code).toBe(2);
  });
});
