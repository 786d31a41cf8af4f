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

/** What the guest waits for its visits to end before it goes (`finish-visits.sh`). */
const FINISH_MS = 5_000;

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
    let tookMs = 0;
    const visits = await under(fleet, 50, async () => {
      const started = performance.now();
      await machine.powerOff();
      tookMs = performance.now() - started;
    });
    await again(fleet, replica, () => machine.switchOn());
    const hurried = tookMs < FINISH_MS;
    return held(visits, hurried ? [`it was off after ${tookMs} ms: it did not wait for its visits to end`] : []);
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
