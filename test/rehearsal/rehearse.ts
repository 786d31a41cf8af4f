import type { Words } from "../../components/command-line/command";
import { runCommand } from "../../components/command-line/run-command";
import { UsageError } from "../../components/process/usage-error";
import { wordsOf } from "../../components/process/words";
import { bootInside } from "./booted/boot-inside";
import { FLEET_REPLICAS } from "./booted/golden";
import { endWithOutside, isInside } from "./booted/namespaces";
import { Cleanup } from "./cleanup";
import type { Engine } from "./engine/engine";
import { rehearseCommand } from "./rehearse-words";
import { provideOnionbalance } from "./replicas/onionbalance";
import { fleetSummary } from "./replicas/report";
import { Steps } from "./steps";
import { summary } from "./summary";

type Options = Words<typeof rehearseCommand>["options"];

// What a choice does not need is not loaded: with --boot this program starts twice.
async function choicesOf(options: Options) {
  const lives = (["clean", "yes", "region", "vhd"] as const).find((name) => options[name]);
  if (lives && !options.live) throw new UsageError(`--${lives} is for a live rehearsal: add --live`);
  const loopbacks = (["boot", "all", "keep", "nix", "preview", "replicas", "vault", "engine", "json"] as const).find(
    (name) => options[name],
  );
  if (options.live && loopbacks) throw new UsageError(`--live goes without --${loopbacks}: leave one of them out`);
  if (options.live) return { ...options, engine: "pulumi" as const, replicas: undefined };
  const apart = (["nix", "vault", "engine", "preview"] as const).find((name) => options[name]);
  if (options.boot && apart) throw new UsageError(`--boot goes without --${apart}: leave one of them out`);
  const other = (["all", "engine", "keep", "nix", "preview", "vault"] as const).find((name) => options[name]);
  if (options.replicas && other) throw new UsageError(`--replicas goes without --${other}: leave one of them out`);
  const engine = options.boot ? "in-process" : await engineOf(options.engine as Engine["name"] | undefined);
  if (options.all && !options.boot && engine !== "pulumi")
    throw new UsageError(
      "--all tells more of a machine that boots, or of a stack under pulumi: add --boot or --engine pulumi",
    );
  return { ...options, engine, replicas: replicasOf(options.replicas, options.boot) };
}

async function engineOf(wanted: Engine["name"] | undefined): Promise<Engine["name"]> {
  const { chooseEngine } = await import("./engine/start-engine.js");
  return chooseEngine(wanted);
}

/** Six, as a story adds two, and a descriptor holds the points of eight at most. */
function replicasOf(text: string | undefined, isBooted = false): number | undefined {
  if (text !== undefined && isBooted && text !== `${FLEET_REPLICAS}`) {
    const problem = `--boot has the texts of ${FLEET_REPLICAS} replicas, got ${text}`;
    throw new UsageError(`${problem}: type npm run rehearse -- --boot --replicas ${FLEET_REPLICAS}`);
  }
  if (text === undefined || /^[1-6]$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(
    `--replicas must be a whole number from 1 to 6, got ${text}: type npm run rehearse -- --replicas 3`,
  );
}

async function main({ options }: Words<typeof rehearseCommand>): Promise<number> {
  const choices = await choicesOf(options);
  if (choices.boot && choices.replicas && !isInside())
    await provideOnionbalance((line) => void process.stderr.write(`  ${line}\n`)); // inside there is no network
  if (choices.boot && !isInside()) return bootInside("test/rehearsal/rehearse.ts", process.argv.slice(2));
  const cleanup = new Cleanup();
  endOnSignals(cleanup);
  if (isInside()) endWithOutside(() => end(cleanup));
  try {
    return await (choices.replicas
      ? rehearseReplicas(choices.replicas, choices, cleanup)
      : rehearseOnce(choices, cleanup));
  } catch (error) {
    if (ending) return new Promise(() => {}); // the signal ends this process, and what failed did so because of it
    await cleanup.run();
    throw error;
  }
}

async function rehearseReplicas(
  replicas: number,
  { boot, json }: Pick<Options, "boot" | "json">,
  cleanup: Cleanup,
): Promise<number> {
  const rehearseThem = boot
    ? (await import("./booted/fleet/rehearsal.js")).rehearseBootedFleet
    : (await import("./replicas/rehearsal.js")).rehearseFleet;
  const report = await rehearseThem(replicas, cleanup);
  process.stderr.write(fleetSummary(report));
  await cleanup.run();
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}

async function rehearseOnce(choices: Awaited<ReturnType<typeof choicesOf>>, cleanup: Cleanup): Promise<number> {
  if (choices.live) {
    const { clean, yes, region = "westeurope", vhd } = choices;
    const { rehearseLive } = await import("./live/live.js");
    const code = await rehearseLive({ clean: clean === true, yes: yes === true, region, vhd }, cleanup);
    await cleanup.run();
    return code;
  }
  if (choices.preview) {
    const { previewLocally } = await import("./engine/local-preview.js");
    process.stdout.write(await previewLocally(cleanup, new Steps(), choices.engine));
    await cleanup.run();
    return 0;
  }
  const { report, keepOpen } = choices.boot
    ? await (await import("./booted/rehearsal.js")).rehearseBooted(choices, cleanup)
    : await (await import("./rehearsal.js")).rehearse(choices, cleanup);
  process.stderr.write(summary(report, process.uptime()));
  const sayReport = () => choices.json && process.stdout.write(`${JSON.stringify(report)}\n`);
  if (choices.keep) {
    const how = await keepOpen();
    sayReport(); // before it waits: Ctrl-C is the end
    await untilInterrupted(how);
  }
  await cleanup.run();
  sayReport();
  return report.ok ? 0 : 1;
}

let ending = false;

function endOnSignals(cleanup: Cleanup): void {
  // A terminal that was closed takes no lines any more: that must not keep anybody from cleaning up.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => end(cleanup));
  }
}

function end(cleanup: Cleanup): void {
  if (!ending) process.stderr.write("\nending everything\n");
  ending = true;
  void cleanup.run().then(
    () => process.exit(130),
    (error: AggregateError) => {
      // What is left, and why: nobody else says it any more.
      for (const failure of error.errors) process.stderr.write(`${wordsOf(failure)}\n`);
      process.exit(1);
    },
  );
}

function untilInterrupted(how: string): Promise<never> {
  process.stderr.write(`${how}Ctrl-C ends all of it and removes it\n`);
  return new Promise(() => setInterval(() => {}, 60_000));
}

// What a failed step has left running (an `up` that waits for a machine) is not waited for.
runCommand(rehearseCommand, main, { exits: true });
