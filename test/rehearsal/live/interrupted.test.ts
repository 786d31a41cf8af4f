import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { debugProviders, serveProvider } from "loopback-azure/provider/grpc-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { pause } from "../../../components/process/pause";
import { Cleanup } from "../cleanup";
import { localCommand } from "../providers/local-command";
import { simulatedRandom } from "../providers/random";
import { RECORDING_FILE, readEntries } from "../recording/entries";
import { startCloud } from "../start-parts";
import { copyProgram } from "../workspace";

const missing = ["pulumi", "sops", "tor"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`a live rehearsal that is interrupted (skipped without ${missing})`, () => {
  const cleanup = new Cleanup();
  let azure: LoopbackAzure;
  let folder = "";
  let environment: NodeJS.ProcessEnv = {};

  beforeAll(async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "so-"));
    cleanup.add(() => fs.rmSync(root, { recursive: true, force: true }));
    const below = (name: string) => {
      fs.mkdirSync(path.join(root, name));
      return path.join(root, name);
    };
    folder = below("program");
    copyProgram(process.cwd(), folder);
    azure = await startCloud({ azure: below("azure") }, cleanup);
    const { principal, env } = azure.workstation;
    const temporary = below("temporary");
    environment = { ...process.env, ...env, ARM_SUBSCRIPTION_ID: principal.subscriptionId, TMPDIR: temporary };
    const providers = [
      simulatedAzureNative({ cloud: azure.cloud, principal }),
      simulatedRandom(),
      localCommand({ environment, folder }),
    ];
    const served = await Promise.all(providers.map(serveProvider));
    for (const one of served) cleanup.add(() => one.close());
    environment.PULUMI_DEBUG_PROVIDERS = debugProviders(served);
    environment.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = "true";
  }, 60_000);
  afterAll(() => cleanup.run());

  function start(): { child: ChildProcess; said: () => string } {
    const program = ["components/start/run.mjs", "test/rehearsal/rehearse.ts"].map((file) => path.resolve(file));
    const words = [...program, "--live", "--yes", "--vhd", "none.vhd"];
    const options = { cwd: folder, env: environment, detached: true };
    const child = spawn(process.execPath, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    cleanup.add(() => void (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")));
    return { child, said: () => text };
  }

  const isMade = (type: string) => azure.cloud.list({ type }).length > 0;

  it.each([
    ["Ctrl-C, which reaches all of a terminal's processes", "SIGINT", "Microsoft.KeyVault/vaults/keys"],
    ["its own end, which nobody tells its children", "SIGTERM", "Microsoft.Resources/resourceGroups"],
    ["its terminal is closed", "SIGHUP", "Microsoft.Resources/resourceGroups"],
  ] as const)("leaves nothing after %s", { timeout: 240_000 }, async (_what, signal, type) => {
    const { child, said } = start();
    const ended = once(child, "exit");
    await Promise.race([untilTrue(() => isMade(type), said), ended]);
    expect(isMade(type), said()).toBe(true);
    const group = azure.cloud.list({ type: "Microsoft.Resources/resourceGroups" })[0]?.name ?? "";
    if (signal !== "SIGTERM") process.kill(-Number(child.pid), signal);
    else child.kill(signal);
    expect(await ended, said()).toEqual([130, null]);
    expect(said()).toContain(`deleting resource group ${group}`);
    expect(azure.cloud.list().filter(({ id }) => id.includes(group))).toEqual([]);
    expect(azure.cloud.deletedVaults()).toEqual([]);
    expect(fs.readdirSync(path.join(folder, ".cache", "live", "runs"))).toEqual([]);
    const recording = fs.readFileSync(path.join(folder, RECORDING_FILE), "utf8");
    expect(readEntries(recording)[0]?.kind).toBe("about");
  });
});

async function untilTrue(test: () => boolean, said: () => string): Promise<void> {
  for (const deadline = Date.now() + 180_000; !test(); await pause(50))
    if (Date.now() > deadline) throw new Error(`not within three minutes: ${said()}`);
}
