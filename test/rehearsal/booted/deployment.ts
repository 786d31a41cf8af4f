import * as path from "node:path";
import type { Cleanup } from "../cleanup";
import { type Deployment, deploy } from "../deploy";
import { startEngine } from "../engine/start-engine";
import { makeFolders } from "../folders";
import { makeBootedScenario } from "../scenario";
import { makeRecovery, startCloud, startTor } from "../start-parts";
import type { Steps } from "../steps";
import { debianFolder } from "./namespaces";
import { addresses, makeNetwork } from "./network";
import { prepareStage, type Stage } from "./stage";
import { succeed } from "./succeed";

/** Deploys the stack whose machine boots. It has its disk, and is not yet switched on. This process is in the namespaces. */
export async function deployBooted(steps: Steps, cleanup: Cleanup): Promise<{ stage: Stage; deployment: Deployment }> {
  const folders = makeFolders(cleanup);
  await makeNetwork();
  const tor = startTor(folders, cleanup, addresses.hosts);
  const azure = await steps.run("Azure at its own addresses", () => startCloud(folders, cleanup));
  const recoverers = await makeRecovery(steps, folders, cleanup);
  const ssh = await makeSshKey(folders.sources);
  const builder = ["node", "components/start/run.mjs", "test/rehearsal/booted/image.ts", debianFolder()];
  const scenario = makeBootedScenario(folders.sources, recoverers, builder, ssh.publicKey);
  const engine = await startEngine("in-process", { azure, folder: folders.program, home: folders.engine, ...scenario });
  cleanup.add(() => engine.close());
  const deployment = await steps.run(
    "pulumi up: vault, secrets, image, VM",
    () => deploy(engine, azure),
    ({ resources }) => `${resources} resources by ${engine.name} ${engine.version}`,
  );
  const { plaintexts } = scenario;
  const { vmId } = deployment;
  const stage = await steps.run("its disk, out of the uploaded blob", async () =>
    prepareStage({ azure, engine, folders, tor: await tor, plaintexts, sshKey: ssh.file, vmId, cleanup }),
  );
  return { stage, deployment };
}

/** The operator's key pair. @param folder on a memory file system */
async function makeSshKey(folder: string): Promise<{ file: string; publicKey: string }> {
  const file = path.join(folder, "operator");
  await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", file]);
  return { file, publicKey: (await succeed("cat", [`${file}.pub`])).trim() };
}
