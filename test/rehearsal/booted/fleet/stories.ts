import * as path from "node:path";
import type { Folders } from "../../folders";
import type { FrontEnd } from "../../replicas/front-end";
import { addressesOf, held, type Tell, under, uneven } from "../../replicas/stories";
import { forget, together, type Visits, visit } from "../../replicas/visits";
import type { TorClient } from "../../tor/network";
import { plug } from "../network";
import type { BootedReplica } from "./replica";
import { wrongRights } from "./rights";

/** What the stories of a booted fleet play on: all its replicas serve. */
export interface BootedFleet {
  readonly folders: Folders;
  readonly replicas: readonly BootedReplica[];
  readonly front: FrontEnd;
  /** The address. */
  readonly hostname: string;
  /** Clients, see `FleetStage`. */
  readonly steady: TorClient;
  readonly forgetful: TorClient;
}

const NOBODY: Visits = { fetches: 0, failed: 0, spread: {}, reasons: [], times: [] };

/** The guest lets its visits end for five seconds of bash, which counts whole ones: for more than this many in any case. */
const LEAST_FINISH = 4;

/** Tells what can happen to the machines of a fleet, each story beginning where the one before ended. */
export async function tellBootedFleet(fleet: BootedFleet, tell: Tell): Promise<void> {
  const { folders, front, hostname, replicas, steady } = fleet;

  await tell("each opens its own key, and is answered 403 for the address's", async () => {
    const problems = await Promise.all(replicas.map((replica) => wrongRights(folders, replica)));
    return held(NOBODY, problems.flat());
  });

  await tell("spread", async () => {
    const visits = await visit(steady, hostname, 60);
    return held(visits, uneven(visits, replicas, front));
  });

  await tell("one switches itself off, and on again", async () => {
    const [replica] = replicas;
    if (replica === undefined) return held(NOBODY, ["there is no such replica"]);
    const { machine } = replica;
    const since = Math.floor(Date.now() / 1000);
    const visits = await under(fleet, 50, () => machine.powerOff());
    await again(fleet, replica, () => machine.switchOn());
    const seconds = await secondsFinishing(replica, since);
    return held(
      visits,
      seconds > LEAST_FINISH ? [] : [`its visits had ${seconds} s to end, must be more than ${LEAST_FINISH}`],
    );
  });

  await tell("one's power is cut, and it comes back", async () => {
    const replica = replicas[1];
    if (replica === undefined) return held(NOBODY, ["there is no such replica"]);
    const { cable, machine } = replica;
    const disk = path.join(folders.disks, `vm-${replica.number}`, "cut.vhd");
    await plug(cable, false); // its host is gone: nobody closes its connections
    await machine.cutPower(disk);
    const without = await visit(steady, hostname, 50);
    await plug(cable, true);
    await again(fleet, replica, () => machine.switchOn(disk));
    return held(together([without, await visit(steady, hostname, 20)]));
  });
}

/** How long the guest's own unit took as the machine switched itself off, by its journal. @param since Unix time */
async function secondsFinishing({ machine }: BootedReplica, since: number): Promise<number> {
  const unit = "finish-visits.service";
  const asked = [`--unit=${unit}`, `--since=@${since}`, "--output=json", "--output-fields=MESSAGE"];
  const lines = (await machine.run("journalctl", asked)).trim().split("\n").filter(Boolean);
  const entries: { MESSAGE: string; __REALTIME_TIMESTAMP: string }[] = lines.map((line) => JSON.parse(line));
  const at = (word: string) => entries.find(({ MESSAGE }) => MESSAGE.startsWith(`${word} ${unit}`));
  const micros = Number(at("Stopped")?.__REALTIME_TIMESTAMP) - Number(at("Stopping")?.__REALTIME_TIMESTAMP);
  return micros / 1_000_000;
}

/** Has a machine come back, and waits until the address leads to it again. */
async function again(
  { front, replicas, steady }: BootedFleet,
  replica: BootedReplica,
  switchOn: () => Promise<void>,
): Promise<void> {
  const before = Date.now();
  await switchOn();
  await front.hasPublished(addressesOf(replicas), await replica.published(before));
  await forget(steady);
}
