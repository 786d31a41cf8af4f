import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../../../components/process/child-process";
import { findOnPath } from "../../../components/process/find-program";
import { Cleanup } from "../cleanup";
import { startEngine } from "../engine/start-engine";
import { type Folders, makeFolders } from "../folders";
import { unseal } from "../guest/unseal";
import { bootVm, serveOnion, type Vm } from "../guest/vm";
import { type Entry, readEntries } from "../recording/entries";
import { upstreamOf } from "../recording/forward";
import { startRecorder } from "../recording/recorder";
import { replay } from "../recording/replay";
import { DISK_BUILDER, stackConfig } from "../scenario";
import { startCloud, startTor } from "../start-parts";
import { Steps } from "../steps";
import { fetchOnion } from "../tor/fetch-onion";
import { tellFirst } from "./first-story";
import { livePlan } from "./plan";

const missing = ["sops", "tor", "tor-gencert", "curl", "jq"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`the first story, on loopback (skipped without ${missing})`, () => {
  const cleanup = new Cleanup();
  let folders: Folders;
  let recording = "";
  beforeAll(() => {
    folders = makeFolders(cleanup);
  });
  afterAll(() => cleanup.run());

  it("is the one that is told of Azure itself, and leaves nothing", { timeout: 240_000 }, async () => {
    const network = startTor(folders, cleanup);
    const cloud = await startCloud(folders, cleanup);
    const recorder = await startRecorder({
      file: path.join(folders.disks, "recording", "first.jsonl"),
      folder: folders.disks,
      asker: cloud.workstation.principal,
      upstream: upstreamOf(cloud.workstation.env),
    });
    cleanup.add(() => recorder.close());
    const env = { ...cloud.workstation.env, ...recorder.environment };
    const azure = { ...cloud, workstation: { ...cloud.workstation, env } };
    const source = path.join(folders.sources, "token");
    let token = "";
    const rotate = () => {
      token = `token-${randomBytes(24).toString("hex")}`;
      fs.writeFileSync(source, token, { mode: 0o600 });
    };
    rotate();
    const secrets = { onion: { source: { onion: {} } }, token: { source: { file: source } } };
    const { stack, resourceGroup, config: own } = livePlan("westeurope", undefined);
    const config = { ...stackConfig(secrets, [], DISK_BUILDER), ...own };
    const parts = { azure, folder: folders.program, home: folders.engine, stack, config };
    const engine = recorder.engine(await startEngine("in-process", parts));
    cleanup.add(() => engine.close());
    let vm: Vm | undefined;
    const steps = new Steps();
    await tellFirst(
      {
        engine,
        async boot({ vmId }) {
          vm = await bootVm(azure, String(vmId), path.join(folders.disks, "vm"));
          cleanup.add(() => vm?.close());
          const service = await serveOnion(
            vm,
            await unseal(vm.unsealing, 20_000),
            await network,
            path.join(folders.tor, "s"),
          );
          cleanup.add(() => service.close());
        },
        fetch: async (url) => fetchOnion((await network).client.socksPort, url, { deadlineMs: 60_000 }),
        rotate,
        async hasRotated() {
          const machine = azure.cloud.list({ type: "Microsoft.Compute/virtualMachines" })[0];
          const userData = JSON.parse(Buffer.from(String(machine?.properties.userData), "base64").toString("utf8"));
          const decrypt = ["decrypt", "--input-type", "json", "--output-type", "binary", "/dev/stdin"];
          const input = Buffer.from(JSON.stringify(userData.secrets.token));
          const environment = vm?.unsealing.environment ?? {};
          const { stdout, stderr } = await runChild("sops", decrypt, { input, environment });
          expect(stdout.toString("utf8"), stderr).toBe(token);
        },
      },
      steps,
    );
    expect(steps.times.map(({ name }) => name)).toEqual([
      "pulumi up: vault, secrets, image, VM",
      "the machine runs",
      "its page, fetched over Tor",
      "a rotated secret reaches it as it runs",
      "up again changes nothing",
      "pulumi destroy",
    ]);
    const left = azure.cloud.list().filter(({ id }) => id.includes(resourceGroup));
    expect(left).toEqual([]);
    recording = fs.readFileSync(path.join(folders.disks, "recording", "first.jsonl"), "utf8");
    for (const id of Object.values(cloud.workstation.principal)) expect(recording).not.toContain(id);
    for (const told of [token, resourceGroup, "Bearer ey"]) expect(recording).not.toContain(told);
  });

  it("is recorded: who asks the stand-in the same again is answered the same", { timeout: 120_000 }, async () => {
    const entries = readEntries(recording);
    const asked = entries.map((entry) => (entry.kind === "http" ? entry.method : entry.kind));
    expect(new Set(asked)).toEqual(new Set(["about", "resource", "GET", "HEAD", "POST", "PUT"]));
    expect(await replay(entries)).toEqual([]);
  });

  /** What Azure would have to say for it, and what is then listed. */
  const others: [what: string, change: (entry: Entry) => Entry | undefined, line: RegExp][] = [
    [
      "another status",
      (entry) =>
        entry.kind === "http" && entry.url.includes("/encrypt?")
          ? { ...entry, answer: { ...entry.answer, status: 429 } }
          : undefined,
      /^status: Azure says 429, the stand-in \d+$/,
    ],
    [
      "another word in an answer",
      (entry) =>
        entry.kind === "resource" && entry.type.endsWith(":StorageAccount")
          ? { ...entry, outputs: { ...entry.outputs, kind: "BlobStorage" } }
          : undefined,
      /^kind: Azure says 'BlobStorage', the stand-in 'StorageV2'$/,
    ],
    [
      "a member that the stand-in does not know",
      (entry) =>
        entry.kind === "resource" && entry.type.endsWith(":Vault")
          ? { ...entry, outputs: { ...entry.outputs, hsmPoolResourceId: "redacted9999" } }
          : undefined,
      /^hsmPoolResourceId: only Azure has it$/,
    ],
    [
      "an id that was another one before",
      (entry) =>
        entry.kind === "resource" && entry.type.endsWith(":UserAssignedIdentity")
          ? { ...entry, outputs: { ...entry.outputs, clientId: entry.outputs.principalId ?? null } }
          : undefined,
      /^(clientId|principalId): Azure says '/,
    ],
    [
      "a kind of resource that the stand-in has not",
      (entry) =>
        entry.kind === "resource" && entry.type.endsWith(":BlobContainer")
          ? { ...entry, type: "azure-native:storage:FileShare" }
          : undefined,
      /^Azure did it, the stand-in refuses: azure-native:storage:FileShare is not simulated/,
    ],
  ];

  it.each(others)("is compared: %s is listed", { timeout: 60_000 }, async (_what, change, line) => {
    const entries = readEntries(recording);
    const at = entries.findIndex((entry) => change(entry) !== undefined);
    const entry = entries[at];
    expect(entry, "the recording has it").toBeDefined();
    if (entry) entries[at] = change(entry) ?? entry;
    const lines = (await replay(entries)).flatMap((difference) => difference.lines);
    expect(lines.filter((one) => line.test(one))).toHaveLength(1);
  });
});
