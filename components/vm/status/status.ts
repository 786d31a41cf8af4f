import type { Words } from "../../command-line/command";
import { runCommand } from "../../command-line/run-command";
import { chooseStack } from "../../command-line/selected-stack";
import { factsPath, readStackFacts } from "../../config/stack-facts";
import { foldersOfStacks } from "../../config/stack-folder";
import { interruption } from "../../process/interruption";
import { pause } from "../../process/pause";
import { UsageError } from "../../process/usage-error";
import { lookFromOutside, type Outside } from "./outside";
import { probe } from "./probe";
import { type StatusReader, statusReader } from "./read-status";
import { checkLogsAlone, showLogs } from "./show-logs";
import { outsideLines, type Report, reportJson, reportMetrics, reportText } from "./status-text";
import { type StatusOptions, statusCommand } from "./status-words";
import { verdictOf, withOutside } from "./verdict";

const WATCH_MS = 5_000;
/** Azure and Pulumi are asked less often than the machine's blob is read. */
const OUTSIDE_MS = 60_000;

/** `npm run status`. */
async function main({ options: args }: Words<typeof statusCommand>): Promise<number> {
  if (args.json && args.prometheus) throw new UsageError("--json and --prometheus exclude each other: leave one out");
  checkLogsAlone(args);
  const stack = await meantStack(args.stack);
  const signal = interruption();
  const reader = await statusReader(containerOf(stack), signal);
  if (args.logs) return showLogs(reader, stack, (await reader.machines()).slice(0, 1));
  if (args.watch) return watch(reader, stack, args, signal);
  const report = await look(reader, stack, args.probe, lookFromOutside);
  console.log(show(report, args));
  return isServing(report) ? 0 : 1;
}

/** Prints at each change of what is wrong, or of the system, until it is interrupted. */
async function watch(reader: StatusReader, stack: string, args: StatusOptions, signal: AbortSignal): Promise<number> {
  const fromOutside = nowAndThen();
  for (let last = ""; !signal.aborted; ) {
    const report = await look(reader, stack, args.probe, fromOutside);
    const { machine, services, system } = report.status;
    const problems = report.probes.map(({ problem }) => problem);
    const seen = JSON.stringify([machine, system, services, report.verdict, report.outside, problems]);
    if (seen !== last) console.log(show(report, args));
    last = seen;
    await pause(WATCH_MS, signal).catch(() => undefined); // Ctrl-C: the loop ends
  }
  return 0;
}

/** What was said lately, once more. */
function nowAndThen(): typeof lookFromOutside {
  let known: { outside: Outside; at: number } | undefined;
  return async (stack, spoken) => {
    if (known === undefined || Date.now() - known.at > OUTSIDE_MS) {
      known = { outside: await lookFromOutside(stack, spoken), at: Date.now() };
    }
    return known.outside;
  };
}

async function look(
  reader: StatusReader,
  stack: string,
  isProbed: boolean,
  fromOutside: typeof lookFromOutside,
): Promise<Report> {
  const [machine] = await reader.machines();
  const status = machine === undefined ? undefined : await reader.read(machine);
  const outside = await fromOutside(stack, status?.resourceId);
  if (status === undefined) throw new Error(unheard(stack, outside));
  const hostnames = Object.values(status.services).map(({ hostname }) => hostname);
  const probes = isProbed ? await probe(hostnames) : [];
  return { stack, status, verdict: withOutside(verdictOf(status, new Date()), status, outside), probes, outside };
}

/** The machine has written no status yet: what others say of it is all that there is. */
function unheard(stack: string, outside: Outside): string {
  const lines = "is" in outside.azure ? outsideLines(outside).map((line) => line.join(" ")) : [];
  const others = lines.length === 0 ? "" : ` (${lines.join("; ")})`;
  return `no machine of ${stack} has said anything yet${others}: type pulumi up`;
}

function isServing({ probes, verdict }: Report): boolean {
  return verdict.serving && probes.every(({ problem }) => problem === undefined);
}

function show(report: Report, { json, prometheus }: StatusOptions): string {
  if (json) return reportJson(report);
  return prometheus ? reportMetrics(report) : reportText(report);
}

async function meantStack(wanted: string | undefined): Promise<string> {
  const stacks = foldersOfStacks();
  const stack = await chooseStack(wanted, stacks);
  if (stack !== undefined) return stack;
  const [first] = stacks;
  if (first === undefined) throw new Error("there is no stack yet: type pulumi up");
  throw new UsageError(`there are ${stacks.join(", ")}: add --stack ${first}`);
}

/** From the facts that `pulumi up` wrote. @throws where there is nobody to be asked */
function containerOf(stack: string): string {
  const facts = readStackFacts(stack);
  if (!facts) throw new Error(`there is no ${factsPath(stack)}: type pulumi up, or another --stack`);
  if (facts.status) return facts.status.containerUrl;
  throw new Error(`${stack} writes no status: type pulumi config set sealed-onion:status true, then pulumi up`);
}

runCommand(statusCommand, main, { label: "status", failureCode: 3, exits: true });
