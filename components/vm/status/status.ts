import * as fs from "node:fs";
import type { Words } from "../../command-line/command";
import { runCommand } from "../../command-line/run-command";
import { chooseStack } from "../../command-line/selected-stack";
import { factsPath, readStackFacts } from "../../config/stack-facts";
import { STACKS } from "../../config/stack-folder";
import { interruption } from "../../process/interruption";
import { pause } from "../../process/pause";
import { UsageError } from "../../process/usage-error";
import { probe } from "./probe";
import { type StatusReader, statusReader } from "./read-status";
import { type Report, reportJson, reportMetrics, reportText } from "./status-text";
import { type StatusOptions, statusCommand } from "./status-words";
import { verdictOf } from "./verdict";

const WATCH_MS = 5_000;

/** `npm run status`. */
async function main({ options: args }: Words<typeof statusCommand>): Promise<number> {
  if (args.json && args.prometheus) throw new UsageError("--json and --prometheus exclude each other: leave one out");
  const stack = await meantStack(args.stack);
  const signal = interruption();
  const reader = await statusReader(containerOf(stack), signal);
  if (args.watch) return watch(reader, stack, args, signal);
  const report = await look(reader, stack, args.probe);
  console.log(show(report, args));
  return isServing(report) ? 0 : 1;
}

/** Prints at each change of what is wrong, or of the system, until it is interrupted. */
async function watch(reader: StatusReader, stack: string, args: StatusOptions, signal: AbortSignal): Promise<number> {
  for (let last = ""; !signal.aborted; ) {
    const report = await look(reader, stack, args.probe);
    const { machine, services, system } = report.status;
    const seen = JSON.stringify([
      machine,
      system,
      services,
      report.verdict,
      report.probes.map(({ problem }) => problem),
    ]);
    if (seen !== last) console.log(show(report, args));
    last = seen;
    await pause(WATCH_MS, signal).catch(() => undefined); // Ctrl-C: the loop ends
  }
  return 0;
}

async function look(reader: StatusReader, stack: string, isProbed: boolean): Promise<Report> {
  const [machine] = await reader.machines();
  const status = machine === undefined ? undefined : await reader.read(machine);
  if (status === undefined) throw new Error(`no machine of ${stack} has said anything yet: type pulumi up`);
  const hostnames = Object.values(status.services).map(({ hostname }) => hostname);
  const probes = isProbed ? await probe(hostnames) : [];
  return { stack, status, verdict: verdictOf(status, new Date()), probes };
}

function isServing({ probes, verdict }: Report): boolean {
  return verdict.serving && probes.every(({ problem }) => problem === undefined);
}

function show(report: Report, { json, prometheus }: StatusOptions): string {
  if (json) return reportJson(report);
  return prometheus ? reportMetrics(report) : reportText(report);
}

async function meantStack(wanted: string | undefined): Promise<string> {
  const stacks = fs.existsSync(STACKS) ? fs.readdirSync(STACKS).filter((name) => !name.startsWith(".")) : [];
  const stack = await chooseStack(wanted, stacks);
  if (stack !== undefined) return stack;
  const [first] = stacks;
  throw new UsageError(
    first ? `there are ${stacks.join(", ")}: add --stack ${first}` : "there is no stack yet: type pulumi up",
  );
}

/** From the facts that `pulumi up` wrote. */
function containerOf(stack: string): string {
  const facts = readStackFacts(stack);
  if (!facts) throw new UsageError(`there is no ${factsPath(stack)}: type pulumi up, or another --stack`);
  if (facts.status) return facts.status.containerUrl;
  throw new UsageError(`${stack} writes no status: type pulumi config set sealed-onion:status true, then pulumi up`);
}

runCommand(statusCommand, main, { label: "status", failureCode: 3, exits: true });
