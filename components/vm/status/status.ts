import * as fs from "node:fs";
import * as path from "node:path";
import { STACKS, stackFolder } from "../../config/stack-folder";
import { interruption } from "../../process/interruption";
import { pause } from "../../process/pause";
import { runMain } from "../../process/run-main";
import { UsageError } from "../../process/usage-error";
import { probe } from "./probe";
import { type StatusReader, statusReader } from "./read-status";
import { readArguments, type StatusArguments, USAGE } from "./status-arguments";
import { type Report, reportJson, reportMetrics, reportText } from "./status-text";
import { verdictOf } from "./verdict";

const WATCH_MS = 5_000;

/** `npm run status`: see `USAGE`. */
async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  const stack = args.stack ?? onlyStack();
  const signal = interruption();
  const reader = await statusReader(containerOf(stack), signal);
  if (args.watch) return watch(reader, stack, args, signal);
  const report = await look(reader, stack, args.probe);
  console.log(show(report, args));
  return isServing(report) ? 0 : 1;
}

/** Prints at each change of what is wrong, or of the system, until it is interrupted. */
async function watch(reader: StatusReader, stack: string, args: StatusArguments, signal: AbortSignal): Promise<number> {
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

function show(report: Report, { json, prometheus }: StatusArguments): string {
  if (json) return reportJson(report);
  return prometheus ? reportMetrics(report) : reportText(report);
}

function onlyStack(): string {
  const stacks = fs.existsSync(STACKS) ? fs.readdirSync(STACKS) : [];
  const [only] = stacks;
  if (only !== undefined && stacks.length === 1) return only;
  const which =
    stacks.length === 0 ? "there is no stack yet: type pulumi up" : `there are ${stacks.join(", ")}: add --stack STACK`;
  throw new UsageError(which);
}

/** From the facts that `pulumi up` wrote. */
function containerOf(stack: string): string {
  const file = path.join(stackFolder(stack), "facts.json");
  if (!fs.existsSync(file)) throw new UsageError(`there is no ${file}: type pulumi up, or another --stack`);
  const facts = JSON.parse(fs.readFileSync(file, "utf8")) as { status?: { containerUrl: string } };
  if (facts.status) return facts.status.containerUrl;
  throw new UsageError(`${stack} writes no status: type pulumi config set sealed-onion:status true, then pulumi up`);
}

runMain(main, { label: "status", failureCode: 3, exits: true });
