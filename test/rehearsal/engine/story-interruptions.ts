import * as assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import type { Fault } from "loopback-azure/gateway/faults";
import { type EngineRun, RunFailed } from "./engine";
import type { PulumiEngine } from "./pulumi";
import { type Stage, writeToken } from "./stage";
import { stageHosts } from "./stage-resources";
import { isPlugin, startedFor } from "./started-processes";
import { NEW_IMAGE, withConfig } from "./story-tools";

export type Moment = "build" | "seal" | "upload";
/** Ctrl-C and a kill of the job reach the whole process group, SIGINT and SIGKILL `pulumi` alone. */
export type Blow = "Ctrl-C" | "SIGINT" | "SIGKILL" | "kill -9 of the job";

/** Pulumi itself cannot tidy up after it: its lock and its plugins stay. */
export function isKill(blow: Blow): boolean {
  return blow === "SIGKILL" || blow === "kill -9 of the job";
}

type PulumiStage = Stage<PulumiEngine>;

const POLL_MS = 50;
const DEADLINE_MS = 120_000;
/** Azure's longest lease. */
const LEASE_MS = 60_000;

/** What the update after the interrupted one has still to do. */
export const STILL_TO_DO: Record<Moment, string[]> = {
  seal: [...NEW_IMAGE, "update token-seal"],
  build: NEW_IMAGE,
  upload: NEW_IMAGE.filter((change) => change !== "update image-build"),
};

export async function until(
  what: string,
  test: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await test())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${deadlineMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What the commands of the steps look like among processes. */
export const PROGRAMS: Record<Moment, RegExp> = {
  seal: /run\.sh seal\b/,
  build: /run\.mjs build-image\b/,
  upload: /run\.mjs upload-image\b/,
};

/** A step that hangs. */
export interface Held {
  /** What the command line of its program looks like. */
  program: RegExp;
  reached: () => boolean;
  release: () => Promise<void>;
}

async function hold(stage: PulumiStage, moment: Moment): Promise<Held> {
  if (moment === "build") return holdBuild(stage);
  const { vault, account } = stageHosts(stage);
  const hang = { kind: "hang" } as const;
  const fault: Fault =
    moment === "seal"
      ? stage.azure.faults.add({ host: vault, path: "/keys/", effect: hang })
      : stage.azure.faults.add({ host: account, method: "PUT", path: /comp=page/, effect: hang });
  const program = PROGRAMS[moment];
  return { program, reached: () => fault.hits > 0, release: async () => fault.remove() };
}

async function holdBuild(stage: PulumiStage): Promise<Held> {
  const key = "sealed-onion:image";
  const image = stage.config[key] ?? "";
  const marker = `${stage.folder}/building`;
  await withConfig(stage, { [key]: JSON.stringify({ builder: ["sh", "-c", `touch ${marker}; sleep 600`] }) });
  const release = async () => {
    fs.rmSync(marker, { force: true });
    await withConfig(stage, { [key]: image });
  };
  return { program: PROGRAMS.build, reached: () => fs.existsSync(marker), release };
}

export interface Up {
  child: ChildProcess;
  ended: Promise<void>;
  text: () => string;
  strike: (blow: Blow) => void;
}

/** `pulumi up` as on a terminal of its own: the leader of a process group. */
export function startUp({ engine, folder, stack }: PulumiStage): Up {
  const command = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack];
  const options = { cwd: folder, env: engine.environment, detached: true };
  const child = spawn("pulumi", command, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const strike = (blow: Blow) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    if (blow === "Ctrl-C") process.kill(-child.pid, "SIGINT");
    else if (blow === "kill -9 of the job") process.kill(-child.pid, "SIGKILL");
    else child.kill(blow);
  };
  return { child, ended, text: () => text, strike };
}

/** The blob that was last leased, and whether it still is. */
function lastLease({ azure }: PulumiStage): () => Promise<boolean> {
  const lease = azure.requests.entries.findLast(({ operation }) => operation === "Lease Blob");
  if (lease === undefined) throw new Error("no blob was ever leased");
  return async () => (await azure.cloud.blobs.properties(`https://${lease.host}${lease.path}`))?.isLeased === true;
}

/** Nothing is left of this project's commands and of what they started; nor of Pulumi's plugins, unless their engine was killed. */
export async function everythingEnds(stage: PulumiStage, blow: Blow): Promise<void> {
  const left = () => startedFor(stage).filter((started) => !isKill(blow) || !isPlugin(started));
  await until("the end of everything that it started", () => left().length === 0).catch((error: Error) => {
    throw new Error(`${error.message}; left: ${left().map(({ command }) => command)}`);
  });
  for (const { pid } of startedFor(stage)) process.kill(pid, "SIGKILL");
}

export async function strikeAndWatch(stage: PulumiStage, moment: Moment, blow: Blow, held: Held): Promise<void> {
  const up = startUp(stage);
  try {
    await until(`${moment}\n${up.text()}`, held.reached);
    const programs = startedFor(stage).map(({ command }) => command);
    assert.ok(
      programs.some((command) => held.program.test(command)),
      `${programs.join("\n")}\n${up.text()}`,
    );
    const isLeased = moment === "upload" ? lastLease(stage) : undefined;
    if (isLeased) assert.ok(await isLeased(), "an upload under way holds the lease");
    up.strike(blow);
    await up.ended;
    await everythingEnds(stage, blow);
    if (isLeased) await until("the end of the blob's lease", async () => !(await isLeased()), LEASE_MS);
  } finally {
    up.strike("SIGKILL");
  }
}

/** A killed engine leaves its lock: the next update says so, and `pulumi cancel` gives it up. */
export async function giveUpLock({ engine }: PulumiStage): Promise<void> {
  const run: unknown = await engine.up().catch((error: unknown) => error);
  assert.ok(run instanceof RunFailed, "the stack is not locked");
  assert.match(run.run.log, /the stack is currently locked/);
  await engine.cancel();
}

/**
 * An update that brings a changed secret is interrupted while it seals, builds or uploads: nothing that it started is
 * left.
 * @returns the update after it, and one more
 */
export async function interrupt(stage: PulumiStage, moment: Moment, blow: Blow): Promise<[EngineRun, EngineRun]> {
  writeToken(stage);
  const held = await hold(stage, moment);
  try {
    await strikeAndWatch(stage, moment, blow, held);
  } finally {
    await held.release();
  }
  if (isKill(blow)) await giveUpLock(stage);
  return [await stage.engine.up(), await stage.engine.up()];
}
