import { parseArgs } from "node:util";
import { bootInside } from "./booted/boot-inside";
import { endWithOutside, isInside } from "./booted/namespaces";
import { rehearseBooted } from "./booted/rehearsal";
import { Cleanup } from "./cleanup";
import { previewLocally } from "./engine/local-preview";
import { chooseEngine } from "./engine/start-engine";
import { rehearse } from "./rehearsal";
import { Steps } from "./steps";
import { summary } from "./summary";

const usage = `npm run rehearse -- [options]

Deploys this program to Azure on loopback, boots what it made, and fetches its page over a private Tor network.

  --json            print one JSON line at the end
  --boot            boot the machine under a systemd of its own (Linux, as root), and tell what can happen to it
  --all             the stories that take minutes, too: of a machine that boots, of a stack under pulumi
  --keep            keep everything up at the end, until Ctrl-C, and say how to use it
  --engine ENGINE   in-process, or pulumi (the real engine; the default where pulumi is on PATH)
  --nix             build the real image with Nix
  --preview         print the comment that a pull request would get for a change, and nothing else
  --vault           log in to HashiCorp Vault with the VM's identity as well
`;

function readChoices() {
  const flag = { type: "boolean", default: false } as const;
  const options = {
    help: flag,
    json: flag,
    boot: flag,
    all: flag,
    keep: flag,
    nix: flag,
    vault: flag,
    preview: flag,
    engine: { type: "string" },
  } as const;
  const { values } = parseArgs({ options });
  const apart = (["nix", "vault", "engine", "preview"] as const).find((name) => values[name]);
  if (values.boot && apart) throw new Error(`--boot goes without --${apart}: leave one of them out`);
  const engine = values.boot ? "in-process" : chooseEngine(engineNamed(values.engine));
  if (values.all && !values.boot && engine !== "pulumi")
    throw new Error(
      "--all tells more of a machine that boots, or of a stack under pulumi: add --boot or --engine pulumi",
    );
  return { ...values, engine };
}

function engineNamed(engine: string | undefined): "in-process" | "pulumi" | undefined {
  if (engine === undefined || engine === "in-process" || engine === "pulumi") return engine;
  throw new Error(`--engine must be in-process or pulumi, got ${engine}: type npm run rehearse -- --engine pulumi`);
}

async function main(): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const choices = readChoices();
    if (choices.help) return void process.stdout.write(usage);
    if (choices.boot && !isInside()) {
      process.exitCode = await bootInside(process.argv.slice(2));
      return;
    }
    endOnSignals(cleanup);
    if (isInside()) endWithOutside(() => end(cleanup));
    if (choices.preview) {
      process.stdout.write(await previewLocally(cleanup, new Steps(), choices.engine));
      return await cleanup.run();
    }
    const { report, keepOpen } = await (choices.boot ? rehearseBooted(choices, cleanup) : rehearse(choices, cleanup));
    process.stderr.write(summary(report));
    if (choices.keep) await untilInterrupted(await keepOpen());
    await cleanup.run();
    if (choices.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    process.exitCode = report.ok ? 0 : 1;
  } catch (error) {
    if (ending) return; // the signal ends this process, and what failed did so because of it
    await cleanup.run();
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

let ending = false;

function endOnSignals(cleanup: Cleanup): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => end(cleanup));
  }
}

function end(cleanup: Cleanup): void {
  if (!ending) process.stderr.write("\nending everything\n");
  ending = true;
  void cleanup.run().finally(() => process.exit(130));
}

function untilInterrupted(how: string): Promise<never> {
  process.stderr.write(`${how}Ctrl-C ends all of it and removes it\n`);
  return new Promise(() => setInterval(() => {}, 60_000));
}

void main();
