import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { isSecret, isUnknown, type PropertyMap, secret } from "loopback-azure/provider/values";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localCommand } from "./local-command";

const type = "command:local:Command";
const urn = `urn:pulumi:dev::demo::${type}::it`;

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "command-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function commands(environment: NodeJS.ProcessEnv = process.env) {
  const lines: string[] = [];
  const provider = localCommand({ folder, environment });
  provider.onLog?.((_, line) => void lines.push(line));
  const create = (inputs: PropertyMap, preview = false, gone?: AbortSignal) =>
    provider.create({ urn, type, name: "it", inputs, preview, ...(gone && { gone }) });
  const update = (inputs: PropertyMap, oldInputs: PropertyMap, oldOutputs: PropertyMap, preview = false) =>
    provider.update({ urn, type, name: "it", id: "it1", inputs, oldInputs, oldOutputs, preview });
  return { provider, lines, create, update };
}

describe("command:local:Command, as pulumi-command 1.2.1 does it", () => {
  it("runs create under /bin/sh, with one newline less at the end", async () => {
    const { create } = commands();
    const { id, outputs } = await create({ create: "echo a; echo; echo err >&2" });
    expect(outputs).toEqual({ create: "echo a; echo; echo err >&2", stdout: "a\n", stderr: "err" });
    expect(id).toMatch(/^it[0-9a-f]{8}$/);
  });

  it("runs in the program's folder, or in dir, with another interpreter where one is given", async () => {
    const { create } = commands();
    expect((await create({ create: "pwd -P" })).outputs.stdout).toBe(fs.realpathSync(folder));
    expect((await create({ create: "pwd -P", dir: "/" })).outputs.stdout).toBe("/");
    const inputs = { create: "process.stdout.write(String(1 + 1))", interpreter: [process.execPath, "-e"] };
    expect((await create(inputs)).outputs.stdout).toBe("2");
  });

  it("gives what it inherits, then environment, and standard input", async () => {
    const { create } = commands({ PATH: process.env.PATH, A: "inherited", B: "inherited" });
    const { outputs } = await create({ create: "echo $A $B; cat", environment: { B: "given" }, stdin: "in" });
    expect(outputs.stdout).toBe("inherited given\nin");
    expect((await create({ create: "cat" })).outputs.stdout).toBe("");
  });

  it("gives an update and a deletion what the run before printed, unless it is told not to", async () => {
    const { provider, create, update } = commands();
    const inputs = { create: "echo one; echo err >&2", update: 'echo "$PULUMI_COMMAND_STDOUT+$PULUMI_COMMAND_STDERR"' };
    const made = await create(inputs);
    expect((await update(inputs, inputs, made.outputs)).stdout).toBe("one+err");
    const silent = { ...inputs, addPreviousOutputInEnv: false };
    expect((await update(silent, inputs, made.outputs)).stdout).toBe("+");
    const file = path.join(folder, "deleted");
    const removal = { ...inputs, delete: `echo "$PULUMI_COMMAND_STDOUT" > ${file}` };
    await provider.delete({ id: "it1", urn, type, inputs: removal, outputs: { ...removal, stdout: "one" } });
    expect(fs.readFileSync(file, "utf8")).toBe("one\n");
  });

  it("updates by create where there is no update, and by nothing where there is neither", async () => {
    const { update } = commands();
    const outputs = { stdout: "old", stderr: "" };
    expect((await update({ create: "echo new" }, {}, outputs)).stdout).toBe("new");
    expect((await update({ delete: "false" }, {}, outputs)).stdout).toBe("old");
  });

  it("runs nothing in a preview: what it prints is unknown, unless nothing changes", async () => {
    const { create, update } = commands();
    const inputs = { create: `touch ${folder}/ran` };
    expect(isUnknown((await create(inputs, true)).outputs.stdout)).toBe(true);
    const old = { ...inputs, stdout: "x", stderr: "" };
    expect((await update(inputs, inputs, old, true)).stdout).toBe("x");
    expect((await update({ ...inputs, stdin: "y" }, inputs, old, true)).stdout).toBe("x");
    expect(isUnknown((await update({ create: "false" }, inputs, old, true)).stdout)).toBe(true);
    expect(fs.existsSync(path.join(folder, "ran"))).toBe(false);
  });

  it("replaces on triggers alone", async () => {
    const { provider } = commands();
    const diff = (old: PropertyMap, news: PropertyMap) =>
      provider.diff({ id: "it1", urn, type, oldInputs: old, oldOutputs: {}, news });
    expect((await diff({ triggers: [1], create: "a" }, { triggers: [2], create: "a" })).detailed).toEqual({
      "triggers[0]": "update-replace",
    });
    expect((await diff({ create: "a" }, { create: "b" })).detailed).toEqual({ create: "update" });
    expect((await diff({ environment: { A: "1" } }, { environment: { A: "1", B: "2" } })).detailed).toEqual({
      "environment.B": "add",
    });
  });

  it("fails with the exit status and everything that was printed", async () => {
    const { create } = commands();
    await expect(create({ create: "echo out; echo err >&2; exit 3" })).rejects.toThrow(
      'exit status 3: running "echo out; echo err >&2; exit 3":\nout\nerr\n',
    );
    await expect(create({ create: "kill -9 $$" })).rejects.toThrow("signal: killed");
    await expect(create({ create: "x", interpreter: ["/nowhere/sh"] })).rejects.toThrow("ENOENT");
  });

  it("logs what logging says", async () => {
    const { create, lines } = commands();
    const command = "echo out; echo err >&2";
    await create({ create: command, logging: "stderr" });
    expect(lines.splice(0)).toEqual(["err"]);
    await create({ create: command, logging: "none" });
    expect(lines.splice(0)).toEqual([]);
    await create({ create: command });
    expect(lines.sort()).toEqual(["err", "out"]);
  });

  it("shows what was printed, even of a secret: nothing secret may be printed", async () => {
    const { create } = commands();
    const { outputs } = await create({ create: "echo $A", environment: secret({ A: "1" }) });
    expect(outputs.stdout).toBe("1");
    expect(isSecret(outputs.environment)).toBe(true);
  });

  it.each([
    [{ creat: "x" }, "unknown property 'creat'"],
    [{ create: 1 }, "'create' must be a string"],
    [{ logging: "all" }, "'logging' must be one of stdout, stderr, stdoutAndStderr, none"],
    [{ environment: { A: 1 } }, "'environment' must be a map of strings"],
    [{ interpreter: "sh" }, "'interpreter' must be a list of strings"],
    [{ triggers: "x" }, "'triggers' must be a list"],
    [{ addPreviousOutputInEnv: "no" }, "'addPreviousOutputInEnv' must be a boolean"],
  ])("refuses %j", async (news, reason) => {
    const { provider } = commands();
    const { failures } = await provider.check({
      urn,
      type,
      name: "it",
      olds: undefined,
      news,
      randomSeed: new Uint8Array(),
    });
    expect(failures.map((failure) => failure.reason)).toEqual([reason]);
  });

  it.each<[string, (provider: ResourceProvider, engine: AbortController) => void]>([
    ["it is told to stop", (provider) => provider.cancel?.()],
    ["the engine that asked is gone", (_, engine) => engine.abort()],
  ])("kills the program when %s, and nothing that it has started: that is the program's own task", async (_, ends) => {
    const { create, provider } = commands();
    const file = path.join(folder, "pid");
    const engine = new AbortController();
    const command = `sleep 600 >/dev/null 2>&1 </dev/null & echo $! > ${file}.new; mv ${file}.new ${file}; wait`;
    const running = create({ create: command }, false, engine.signal);
    while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
    const pid = Number(fs.readFileSync(file, "utf8"));
    fs.rmSync(file);
    ends(provider, engine);
    await expect(running).rejects.toThrow("signal: killed");
    process.kill(pid, "SIGKILL"); // throws where it is not there any more
  });
});
