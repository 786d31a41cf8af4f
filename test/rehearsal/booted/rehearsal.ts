import * as path from "node:path";
import type { Cleanup } from "../cleanup";
import { deploy } from "../deploy";
import { startEngine } from "../engine/start-engine";
import { makeFolders } from "../folders";
import { ProcessSampler } from "../process-sampler";
import type { RehearsalReport, Rehearsed, StoryOutcome } from "../report";
import { makeBootedScenario } from "../scenario";
import { searchEverything } from "../search-everything";
import { makeRecovery, startCloud, startTor } from "../start-parts";
import { Steps } from "../steps";
import { clearEvidence, keepEvidence } from "./evidence";
import { keptBooted } from "./keep-booted";
import { debianFolder } from "./namespaces";
import { addresses, makeNetwork } from "./network";
import { standInPrograms } from "./programs";
import { prepareStage, type Stage } from "./stage";
import { stories } from "./stories";
import { page } from "./stories/access";
import { succeed } from "./succeed";

/** The whole deployment, with a machine that boots under systemd. This process is in the run's namespaces. */
export async function rehearseBooted(choices: { all: boolean }, cleanup: Cleanup): Promise<Rehearsed> {
  const steps = new Steps();
  const folders = makeFolders(cleanup);
  const sampler = new ProcessSampler();
  cleanup.add(() => sampler.close());
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
  const stage = await steps.run("its disk, out of the uploaded blob", async () =>
    prepareStage({
      azure,
      engine,
      folders,
      tor: await tor,
      plaintexts,
      sshKey: ssh.file,
      vmId: deployment.vmId,
      cleanup,
    }),
  );
  const told = await tellStories(stage, steps, choices.all);
  const { leaks, canaryFound } = await steps.run("search for plaintext", async () =>
    searchEverything(plaintexts, {
      folders: [folders.program, folders.azure, folders.temporary, folders.disks, folders.engine],
      texts: new Map([
        ["Pulumi's state", await engine.exportState()],
        ["the update's log", deployment.log],
        ["the process list", sampler.text()],
      ]),
    }),
  );
  const report: RehearsalReport = {
    engine: deployment.engine,
    guest: "booted",
    resources: deployment.resources,
    onionHostname: deployment.onionHostname,
    httpStatus: told.some(({ name, ok }) => name === page.name && ok) ? 200 : 0,
    secretsUnsealed: Object.keys(stage.facts.secrets).length,
    leaks,
    canaryFound,
    bytesUploaded: deployment.bytesUploaded,
    steps: steps.times,
    stories: told,
    skipped: [
      ...steps.skipped(),
      ...standInPrograms().map(
        (name) =>
          `stand-in: ${name} is ours, as ${name === "darkhttpd" ? "Debian has none" : "the real one is not on PATH"}`,
      ),
    ],
    ok: told.every(({ ok }) => ok) && canaryFound && leaks.length === 0,
  };
  return { report, keepOpen: async () => keptBooted(stage) };
}

async function tellStories(stage: Stage, steps: Steps, all: boolean): Promise<StoryOutcome[]> {
  const told: StoryOutcome[] = [];
  clearEvidence();
  for (const { name, tell } of stories.filter(({ isLong }) => all || isLong !== true)) {
    const started = performance.now();
    const [since, mark] = [new Date(), stage.console.mark()];
    const failure = await tell(stage).then(
      () => undefined,
      (error: Error) => error.message,
    );
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    told.push({ name, seconds, ok: failure === undefined });
    const evidence = all || failure !== undefined ? await keepEvidence(stage, name, since, mark) : "";
    if (failure === undefined) steps.done(name, seconds);
    else steps.failed(name, seconds, `${failure}\nits console and journal: ${evidence}`);
  }
  return told;
}

/** The operator's key pair. @param folder on a memory file system */
async function makeSshKey(folder: string): Promise<{ file: string; publicKey: string }> {
  const file = path.join(folder, "operator");
  await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", file]);
  return { file, publicKey: (await succeed("cat", [`${file}.pub`])).trim() };
}
