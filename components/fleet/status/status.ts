import type { Words } from "../../command-line/command";
import { runCommand } from "../../command-line/run-command";
import { chooseStack } from "../../command-line/selected-stack";
import { readStackFacts } from "../../config/stack-facts";
import { foldersOfStacks } from "../../config/stack-folder";
import { interruption } from "../../process/interruption";
import { pause } from "../../process/pause";
import { UsageError } from "../../process/usage-error";
import { probe } from "../../vm/status/probe";
import { type StatusReader, statusReader } from "../../vm/status/read-status";
import { checkLogsAlone, showLogs } from "../../vm/status/show-logs";
import { type StatusOptions, statusCommand } from "../../vm/status/status-words";
import type { FleetMachineStatus } from "../fleet-status";
import { type ExpectedFleet, type FleetReport, fleetReport } from "./fleet-report";
import { fleetJson, fleetMetrics, fleetText } from "./fleet-text";

const WATCH_MS = 5_000;

interface Fleet extends ExpectedFleet {
  readonly containerUrl: string;
  readonly addresses: readonly string[];
}

/** `npm run status` of a stack of several machines. Of any other stack, what one machine says of itself. */
async function main({ options: args }: Words<typeof statusCommand>): Promise<number> {
  const stack = await chooseStack(args.stack, foldersOfStacks());
  const fleet = stack === undefined ? undefined : await fleetOf(stack);
  if (fleet === undefined) return ofOneMachine();
  if (args.json && args.prometheus) throw new UsageError("--json and --prometheus exclude each other: leave one out");
  checkLogsAlone(args);
  const signal = interruption();
  const reader = await statusReader(fleet.containerUrl, signal);
  if (args.logs) return showLogs(reader, fleet.stack, await membersOf(reader, fleet));
  if (args.watch) return watch(reader, fleet, args, signal);
  const { report, serving } = await look(reader, fleet, args);
  console.log(show(report, args));
  return serving ? 0 : 1;
}

/** The machines that there should be, by what each said last: those that are long gone are left out. */
async function membersOf(reader: StatusReader, fleet: Fleet): Promise<string[]> {
  const { members } = fleetReport(fleet, await readAll(reader), new Date());
  return members.map(({ status }) => status?.machine).filter((machine) => machine !== undefined);
}

async function readAll(reader: StatusReader): Promise<FleetMachineStatus[]> {
  const said = await Promise.all((await reader.machines()).map((machine) => reader.read(machine)));
  return said.filter((status) => status !== undefined);
}

async function look(reader: StatusReader, fleet: Fleet, { probe: isProbed }: StatusOptions) {
  const report = fleetReport(fleet, await readAll(reader), new Date());
  const probes = isProbed ? await probe(fleet.addresses) : [];
  for (const { hostname, seconds, problem } of probes) console.error(problem ?? `${hostname} answered in ${seconds} s`);
  return { report, serving: report.verdict.serving && probes.every(({ problem }) => problem === undefined) };
}

/** Prints at each change of what is wrong or published, until it is interrupted. */
async function watch(reader: StatusReader, fleet: Fleet, args: StatusOptions, signal: AbortSignal): Promise<number> {
  for (let last = ""; !signal.aborted; ) {
    const { report } = await look(reader, fleet, args);
    const seen = JSON.stringify(report.members.map(({ role, status, verdict }) => [role, status?.services, verdict]));
    if (seen !== last) console.log(show(report, args));
    last = seen;
    await pause(WATCH_MS, signal).catch(() => undefined); // Ctrl-C: the loop ends
  }
  return 0;
}

function show(report: FleetReport, { json, prometheus }: StatusOptions): string {
  if (json) return fleetJson(report);
  return prometheus ? fleetMetrics(report) : fleetText(report);
}

/** The dial; the facts, which are in an image that all replicas boot, say nothing of the front ends. */
interface Wanted {
  readonly replicas?: number;
}

/** From the facts that `pulumi up` wrote; undefined for one machine, and for a stack that was never deployed. */
async function fleetOf(stack: string): Promise<Fleet | undefined> {
  const { replica, services, status } = readStackFacts(stack) ?? {};
  const [backends] = Object.values(replica?.services ?? {});
  if (backends === undefined || status === undefined) return undefined;
  const balanced = Object.values(services ?? {}).filter(({ ssh }) => !ssh);
  const addresses = balanced.map(({ hostname }) => hostname);
  const { readStackFile } = await import("../../config/stack-file.js"); // of a package that a single machine's status goes without
  const { replicas: frontEnds = 1 } = (readStackFile(stack).structure("sealed-onion:frontEnd") ?? {}) as Wanted;
  return { stack, replicas: backends.length, frontEnds, containerUrl: status.containerUrl, addresses };
}

/** It ends the process itself. */
async function ofOneMachine(): Promise<number> {
  await import("../../vm/status/status.js");
  return new Promise(() => {});
}

void runCommand(statusCommand, main, { label: "status", failureCode: 3, exits: true });
