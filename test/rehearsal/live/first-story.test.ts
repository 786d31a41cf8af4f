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
import { diskBuilder, stackConfig } from "../scenario";
import { startCloud, startTor } from "../start-parts";
import { Steps } from "../steps";
import { fetchOnion } from "../tor/fetch-onion";
import { tellFirst } from "./first-story";
import { livePlan } from "./plan";

const missing = ["sops", "tor", "tor-gencert", "curl", "jq"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`the first story, on loopback (skipped without ${missing})`, () => {
  const cleanup = new Cleanup();
  let folders: Folders;
  beforeAll(() => {
    folders = makeFolders(cleanup);
  });
  afterAll(() => cleanup.run());

  it("is the one that is told of Azure itself, and leaves nothing", { timeout: 240_000 }, async () => {
    const network = startTor(folders, cleanup);
    const azure = await startCloud(folders, cleanup);
    const source = path.join(folders.sources, "token");
    let token = "";
    const rotate = () => {
      token = `token-${randomBytes(24).toString("hex")}`;
      fs.writeFileSync(source, token, { mode: 0o600 });
    };
    rotate();
    const secrets = { onion: { source: { onion: {} } }, token: { source: { file: source } } };
    const { stack, resourceGroup, config: own } = livePlan("westeurope", undefined);
    const config = { ...stackConfig(secrets, [], diskBuilder), ...own };
    const engine = await startEngine("in-process", {
      azure,
      folder: folders.program,
      home: folders.engine,
      stack,
      config,
    });
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
  });
});
