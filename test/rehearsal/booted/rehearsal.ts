import type { Cleanup } from "../cleanup";
import { ProcessSampler } from "../process-sampler";
import type { RehearsalReport, Rehearsed, StoryOutcome } from "../report";
import { searchEverything } from "../search-everything";
import { Steps } from "../steps";
import { deployBooted } from "./deployment";
import { clearEvidence, keepEvidence } from "./evidence";
import { keptBooted } from "./keep-booted";
import { standInPrograms } from "./programs";
import type { Stage } from "./stage";
import { stories } from "./stories";
import { page } from "./stories/access";
import type { Story } from "./stories/story";

/** The whole deployment, with a machine that boots under systemd. This process is in the run's namespaces. */
export async function rehearseBooted(choices: { all: boolean }, cleanup: Cleanup): Promise<Rehearsed> {
  const steps = new Steps();
  const sampler = new ProcessSampler();
  cleanup.add(() => sampler.close());
  const { stage, deploying } = await deployBooted(steps, cleanup);
  const { folders, engine, plaintexts } = stage;
  clearEvidence();
  const tell = (isWhileUp: boolean) => {
    const among = stories.filter((story) => (story.isWhileUp === true) === isWhileUp);
    return tellStories(stage, steps, among, choices.all);
  };
  const told = await tell(true); // the first switches the machine on: `up` ends when that says that it serves
  const deployment = await deploying;
  told.push(...(await tell(false)));
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
      "stand-in: switch-to-configuration is ours, as NixOS is not built here",
      ...standInPrograms().map(
        (name) =>
          `stand-in: ${name} is ours, as ${name === "darkhttpd" ? "Debian has none" : "the real one is not on PATH"}`,
      ),
    ],
    ok: told.every(({ ok }) => ok) && canaryFound && leaks.length === 0,
  };
  return { report, keepOpen: async () => keptBooted(stage) };
}

async function tellStories(stage: Stage, steps: Steps, among: readonly Story[], all: boolean): Promise<StoryOutcome[]> {
  const told: StoryOutcome[] = [];
  for (const { name, tell } of among.filter(({ isLong }) => all || isLong !== true)) {
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
