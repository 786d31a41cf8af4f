import * as assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import type { Fault } from "../azure/faults";
import { changesOf } from "./engine";
import type { PulumiEngine } from "./pulumi";
import { type Stage, writeToken } from "./stage";

export type Moment = "build" | "seal" | "upload";
export type Blow = "SIGINT" | "SIGKILL";

type PulumiStage = Stage<PulumiEngine>;

/** A process that works in the program's folder. */
interface Worker {
  pid: number;
  command: string;
}

const POLL_MS = 50;
const DEADLINE_MS = 120_000;

/** Only where there is /proc: elsewhere nobody tells a process's folder without a tool of its own. */
export const canSeeProcesses = fs.existsSync("/proc/self/cwd");

function workersIn(folder: string): Worker[] {
  const real = fs.realpathSync(folder);
  return fs.readdirSync("/proc").flatMap((entry): Worker[] => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      if (fs.readlinkSync(`/proc/${entry}/cwd`) !== real) return [];
      return [{ pid: Number(entry), command: fs.readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ") }];
    } catch {
      return []; // it has ended, or is not ours to look at
    }
  });
}

async function until(what: string, test: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!test()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${DEADLINE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function hosts({ azure }: PulumiStage) {
  const [vault] = azure.cloud.list({ type: "Microsoft.KeyVault/vaults" });
  const [account] = azure.cloud.list({ type: "Microsoft.Storage/storageAccounts" });
  return { vault: `${vault?.name}.vault.azure.net`, account: `${account?.name}.blob.core.windows.net` };
}

/** Lets the step that is to be interrupted hang; answers how to let it go on, and what it looks like. */
async function hold(
  stage: PulumiStage,
  moment: Moment,
): Promise<{ release: () => Promise<void>; program: RegExp; reached: () => boolean }> {
  const { vault, account } = hosts(stage);
  if (moment === "build") return holdBuild(stage);
  const fault: Fault =
    moment === "seal"
      ? stage.azure.faults.add({ host: vault, path: "/keys/", effect: { kind: "hang" } })
      : stage.azure.faults.add({ host: account, method: "PUT", path: /comp=page/, effect: { kind: "hang" } });
  const program = moment === "seal" ? /commands\/seal\.ts/ : /commands\/upload-image\.ts/;
  return { program, reached: () => fault.hits > 0, release: async () => fault.remove() };
}

async function holdBuild(stage: PulumiStage) {
  const image = stage.config["sealed-onion:image"] ?? "";
  const marker = `${stage.folder}/building`;
  const wait = JSON.stringify({ builder: ["sh", "-c", `touch ${marker}; sleep 600`] });
  await stage.engine.setConfig({ ...stage.config, "sealed-onion:image": wait });
  const release = async () => {
    fs.rmSync(marker, { force: true });
    await stage.engine.setConfig({ ...stage.config, "sealed-onion:image": image });
  };
  return { program: /commands\/build-image\.ts/, reached: () => fs.existsSync(marker), release };
}

function startUp({ engine, folder, stack }: PulumiStage): {
  child: ChildProcess;
  ended: Promise<void>;
  text: () => string;
} {
  const command = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack];
  const child = spawn("pulumi", command, { cwd: folder, env: engine.environment, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { child, ended, text: () => text };
}

/**
 * An update is interrupted while it seals, builds or uploads: nothing that it started is left, and the next one finishes.
 * @param blow what its CLI gets: Ctrl-C, or kill -9
 */
export async function interrupt(stage: PulumiStage, moment: Moment, blow: Blow): Promise<void> {
  writeToken(stage);
  const held = await hold(stage, moment);
  const up = startUp(stage);
  try {
    await until(`${moment}\n${up.text()}`, held.reached);
    assert.ok(
      workersIn(stage.folder).some(({ command }) => held.program.test(command)),
      up.text(),
    );
    up.child.kill(blow);
    await up.ended;
    const left = () => workersIn(stage.folder);
    await until("the end of everything that it started", () => left().length === 0);
  } finally {
    up.child.kill("SIGKILL");
    await held.release();
  }
  await stage.engine.cancel().catch((error: Error) => assert.match(error.message, /no lock|not locked|currently/i));
  await stage.engine.up();
  assert.deepEqual(changesOf(await stage.engine.up()), []);
}
