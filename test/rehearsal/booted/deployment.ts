import * as path from "node:path";
import type { Cloud } from "loopback-azure/cloud";
import type { Cleanup } from "../cleanup";
import { type Deployment, deploy } from "../deploy";
import { startEngine } from "../engine/start-engine";
import { type Folders, makeFolders } from "../folders";
import { nixStoreEnvironment } from "../nix-store";
import { makeBootedScenario } from "../scenario";
import { makeRecovery, startCloud, startTor } from "../start-parts";
import type { Steps } from "../steps";
import { until } from "./console";
import { placeFlake } from "./flake";
import { debianDisk } from "./namespaces";
import { addresses, makeNetwork } from "./network";
import { prepareStage, type Stage } from "./stage";
import { succeed } from "./succeed";

/** A machine that has its disk and is not yet switched on, and the `up` that made it. */
export interface BootedDeployment {
  readonly stage: Stage;
  /** Where the machine writes a status, it ends once the machine says there that it serves. */
  readonly deploying: Promise<Deployment>;
}

/**
 * Deploys the stack whose machine boots. This process is in the namespaces.
 * @param dials configuration in place of `bootedDials`
 */
export async function deployBooted(
  steps: Steps,
  cleanup: Cleanup,
  dials: Readonly<Record<string, string>> = {},
): Promise<BootedDeployment> {
  const folders = makeFolders(cleanup);
  placeFlake(folders.program);
  await makeNetwork();
  const tor = startTor(folders, cleanup, { address: addresses.hosts });
  const { azure, engine, config, plaintexts, sshKey } = await openStack(steps, cleanup, folders, dials);
  const deploying = steps.run(
    "pulumi up: vault, secrets, system, image, VM",
    () => deploy(engine, azure),
    ({ resources }) => `${resources} resources by ${engine.name} ${engine.version}`,
  );
  const vmId = await Promise.race([deploying.then((made) => made.vmId), machineIn(azure.cloud)]);
  const stage = await steps.run("its disk, out of the uploaded blob", async () =>
    prepareStage({ azure, config, engine, folders, tor: await tor, plaintexts, sshKey, vmId, cleanup }),
  );
  return { stage, deploying };
}

/** A stack that is not made yet, and the Azure for it. */
export type OpenStack = Pick<Stage, "azure" | "config" | "engine" | "plaintexts" | "sshKey">;

/** Starts Azure, and an engine for the stack whose machines boot. The working copy has its flake. */
export async function openStack(
  steps: Steps,
  cleanup: Cleanup,
  folders: Folders,
  dials: Readonly<Record<string, string>>,
): Promise<OpenStack> {
  Object.assign(process.env, nixStoreEnvironment(path.join(folders.program, ".cache", "nix")));
  const [azure, recoverers, ssh] = await Promise.all([
    steps.run("Azure at its own addresses", () => startCloud(folders, cleanup)),
    makeRecovery(steps, folders, cleanup),
    makeSshKey(folders.sources),
  ]);
  const builder = ["node", "components/start/run.mjs", "test/rehearsal/booted/image.ts", debianDisk()];
  const scenario = makeBootedScenario(folders.sources, recoverers, builder, ssh.publicKey);
  const config = { ...scenario.config, ...dials };
  const parts = { azure, folder: folders.program, home: folders.engine, stack: scenario.stack, config };
  const engine = await startEngine("in-process", parts);
  cleanup.add(() => engine.close());
  return { azure, config, engine, plaintexts: scenario.plaintexts, sshKey: ssh.file };
}

/** The machine of a deployment that goes on, once Azure has it. */
async function machineIn(cloud: Cloud): Promise<string> {
  let found: string | undefined;
  await until(() => {
    found = cloud.list({ type: "Microsoft.Compute/virtualMachines" })[0]?.id;
    return found !== undefined;
  }, 300_000);
  return found ?? "";
}

/** The operator's key pair. @param folder on a memory file system */
async function makeSshKey(folder: string): Promise<{ file: string; publicKey: string }> {
  const file = path.join(folder, "operator");
  await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", file]);
  return { file, publicKey: (await succeed("cat", [`${file}.pub`])).trim() };
}
