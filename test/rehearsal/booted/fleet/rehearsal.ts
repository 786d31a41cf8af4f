import type { LoopbackAzure } from "loopback-azure/azure";
import type { Cleanup } from "../../cleanup";
import { deploy } from "../../deploy";
import { MACHINE, roleOf } from "../../fleet/speaking-machines";
import { type Folders, makeFolders } from "../../folders";
import { ProcessSampler } from "../../process-sampler";
import { provideOnionbalance } from "../../replicas/onionbalance";
import { emptyReport, type FleetReport } from "../../replicas/report";
import { FLEET_NETWORK, LEARNED } from "../../replicas/stage";
import { newTelling } from "../../replicas/telling";
import { searchEverything } from "../../search-everything";
import { startTor } from "../../start-parts";
import { Steps } from "../../steps";
import { startTorClient } from "../../tor/network";
import { until } from "../console";
import { type OpenStack, openStack } from "../deployment";
import { startDns } from "../dns";
import { clearEvidence, keepEvidence } from "../evidence";
import { placeFleetFlake } from "../flake";
import { addresses, makeFleetNetwork } from "../network";
import { standInPrograms } from "../programs";
import { fleetDials } from "../stack";
import { givenFiles } from "../stage";
import { type FrontEndParts, type LightFrontEnd, startLightFrontEnd } from "./front-end";
import { type BootedReplica, bootReplica, type ReplicaParts } from "./replica";
import { tellBootedFleet } from "./stories";
import { openSwitchboard } from "./switchboard";

/** `up` makes the next machine once the one before takes visits. */
const MADE_MS = 600_000;

/**
 * One address behind machines that boot, from an ordinary `up` that makes them in turn. This process is in the run's
 * namespaces, where nothing can be fetched: Onionbalance is there already.
 */
export async function rehearseBootedFleet(replicas: number, cleanup: Cleanup): Promise<FleetReport> {
  const steps = new Steps();
  const sampler = new ProcessSampler();
  cleanup.add(() => sampler.close());
  const report = { guest: "booted" as const, ...emptyReport(replicas) };
  const onionbalance = await provideOnionbalance((line) => steps.say(line));
  if (onionbalance.skipped !== undefined) return { ...report, steps: steps.times, skipped: [onionbalance.skipped] };
  clearEvidence();
  const { stack, parts } = await openAzure(steps, replicas, onionbalance, cleanup);
  const { log, state, front, machines } = await deployFleet(steps, stack, parts);
  const told = await tellStories(steps, parts, front, machines);
  const { leaks, canaryFound } = await steps.run("search for plaintext", async () =>
    searchEverything([...stack.plaintexts, front.plaintext], {
      folders: searched(parts.folders),
      texts: new Map([
        ["Pulumi's state", state],
        ["the update's log", log],
        ["the process list", sampler.text()],
      ]),
    }),
  );
  return {
    ...{ ...report, ...told, steps: steps.times, leaks, canaryFound },
    skipped: [
      "skipped: a booted front end: Debian's part of the machine has no Python, so it is light",
      "stand-in: each replica's page says which one it is",
      ...standInPrograms().map((name) => `stand-in: ${name} is ours`),
    ],
    ok: told.ok && canaryFound && leaks.length === 0,
  };
}

type Parts = ReplicaParts & FrontEndParts;

/** Azure at its addresses for each machine, a stack that is not made yet, and a Tor network. */
async function openAzure(
  steps: Steps,
  replicas: number,
  onionbalance: Parts["onionbalance"],
  cleanup: Cleanup,
): Promise<{ stack: OpenStack; parts: Parts }> {
  const folders = makeFolders(cleanup);
  placeFleetFlake(folders.program);
  const cables = await makeFleetNetwork(replicas);
  const network = startTor(folders, cleanup, { address: addresses.hosts, ...FLEET_NETWORK });
  const stack = await openStack(steps, cleanup, folders, fleetDials);
  const tor = await steps.run("a Tor network of nine relays", () => network);
  const { azure } = stack;
  const dns = await startDns(azure.cloud);
  cleanup.add(() => dns.close());
  const platform = givenFiles({ azure, folders, tor });
  const switchboard = await openSwitchboard(cleanup);
  return { stack, parts: { azure, folders, tor, onionbalance, platform, switchboard, cables, cleanup } };
}

async function tellStories(
  steps: Steps,
  { cleanup, folders, tor }: Parts,
  { front, hostname }: LightFrontEnd,
  replicas: readonly BootedReplica[],
): Promise<ReturnType<ReturnType<typeof newTelling>["outcome"]>> {
  const { outcome, tell } = newTelling(steps);
  const clients = await Promise.all(["steady", "forgetful"].map((name) => startTorClient(tor, name, LEARNED)));
  for (const { process } of clients) cleanup.add(() => process.close());
  const [steady = tor.client, forgetful = tor.client] = clients;
  try {
    await tellBootedFleet({ folders, replicas, front, hostname, steady, forgetful }, tell);
  } catch (error) {
    await keepAll(steps, replicas);
    throw error;
  }
  if (!outcome().ok) await keepAll(steps, replicas);
  return outcome();
}

const searched = ({ program, azure, temporary, disks, engine }: Folders) => [program, azure, temporary, disks, engine];

/** One `up`: each machine is switched on as soon as Azure has it, and the next one is made once it takes visits. */
async function deployFleet(steps: Steps, { azure, engine }: OpenStack, parts: Parts) {
  const machines: BootedReplica[] = [];
  const deploying = steps.run(
    `pulumi up: ${parts.cables.length} replicas in turn, each serving before the next`,
    () => deploy(engine, azure),
    ({ resources }) => `${resources} resources by ${engine.name} ${engine.version}`,
  );
  const switchOn = async () => {
    for (let number = 1; number <= parts.cables.length; number++)
      machines.push(await bootReplica(parts, await madeAs(azure, `replica-${number}`), number));
  };
  const fronting = async () => startLightFrontEnd(parts, await madeAs(azure, "front-end-1"));
  try {
    const [{ log, state }, front] = await Promise.all([deploying, fronting(), switchOn()]);
    return { log, state, front, machines };
  } catch (error) {
    await keepAll(steps, machines);
    throw error;
  }
}

/** The VM of this role, once Azure has it. @returns its resource id */
async function madeAs({ cloud }: LoopbackAzure, role: string): Promise<string> {
  const find = () => cloud.list({ type: MACHINE }).find(({ name }) => roleOf(name, "rehearsal") === role)?.id;
  await until(() => find() !== undefined, MADE_MS);
  return find() ?? "";
}

/** Of machines that something has happened to. */
async function keepAll(steps: Steps, machines: readonly BootedReplica[]): Promise<void> {
  const kept = machines.map((replica) => keepEvidence(replica, `replica-${replica.number}`, new Date(0), 0));
  steps.say(`their consoles and journals: ${(await Promise.all(kept)).join(", ")}`);
}
