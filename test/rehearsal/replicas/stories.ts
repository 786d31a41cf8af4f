import { parseFleet } from "../../../components/fleet/fleet-settings";
import type { Machine } from "./backend";
import type { FrontEnd } from "./front-end";
import type { FleetStage } from "./stage";
import { forget, type Visits, visit, visitDuring } from "./visits";

/** One thing that happens to a fleet, and what visitors saw of it. */
export interface FleetStory {
  readonly name: string;
  readonly visits: Visits;
  /** What else must hold, in words; none holds where this is empty. */
  readonly problems: readonly string[];
}

export type Tell = (name: string, story: () => Promise<Omit<FleetStory, "name">>) => Promise<void>;

/** An introduction point is chosen at random: of so many visits, less than a third of the fair share is no chance. */
const LEAST_SHARE = 1 / 3;
const VISITS_OF_FEW = 60;
const VISITS_OF_MANY = 120;

export const held = (visits: Visits, problems: readonly string[] = []) => ({ visits, problems });
/** All at once, as Pulumi deletes them. */
const endAll = (machines: readonly Machine[]) => Promise.all(machines.map((machine) => machine.end()));
export const addressesOf = (machines: readonly Pick<Machine, "hostname">[]) => machines.map(({ hostname }) => hostname);

/** Tells all that can happen to a fleet of so many replicas, in order, each beginning where the one before ended. */
export async function tellFleet(stage: FleetStage, replicas: number, tell: Tell): Promise<void> {
  const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
  const alone = await stage.alone();
  let fleet: Machine[] = [];
  let front: FrontEnd | undefined;

  await tell("an address in use moves to a front end", async () => {
    const visits = await under(stage, 40, async () => {
      fleet = await Promise.all(numbers.map((number) => stage.replica(number)));
      front = await stage.frontEnd(fleet);
      await front.hasPublished(addressesOf(fleet), 0);
      await alone.end();
    });
    return held(visits, refused(front));
  });
  if (front === undefined) return;
  const first = front;

  await tell("spread", async () => {
    const visits = await visit(stage.steady, stage.hostname, VISITS_OF_FEW);
    return held(visits, uneven(visits, fleet, first));
  });
  await tell("one replica is killed", () => without(stage, fleet, 0, first, (machine) => machine.kill()));
  await tell("one replica freezes", () => without(stage, fleet, 1, first, async (machine) => machine.freeze()));

  await tell("the fleet is replaced under load", async () => {
    const visits = await under(stage, 300, async () => {
      const before = fleet;
      fleet = await Promise.all(numbers.map((number) => stage.replica(number)));
      await first.hasPublished(addressesOf(fleet), Math.max(...fleet.map(({ published }) => published)));
      await endAll(before);
    });
    return held(visits);
  });

  await tell("the front end is killed", async () => {
    await first.kill();
    return held(await visit(stage.steady, stage.hostname, 20));
  });
  let second = first;
  await tell("a second front end takes over", async () => {
    const visits = await under(stage, 20, async () => {
      second = await stage.frontEnd(fleet);
      await second.hasPublished(addressesOf(fleet), 0);
    });
    return held(visits);
  });

  for (const wanted of [replicas + 2, Math.max(1, replicas - 1)]) {
    await tell(`${fleet.length} replicas become ${wanted}`, async () => {
      const during = await under(stage, 20, async () => {
        const before = fleet;
        const more = Array.from(
          { length: Math.max(0, wanted - before.length) },
          (_, index) => before.length + index + 1,
        );
        fleet = [...before, ...(await Promise.all(more.map((number) => stage.replica(number))))].slice(0, wanted);
        await second.balance(addressesOf(fleet));
        await second.hasPublished(addressesOf(fleet), 0);
        await endAll(before.slice(wanted));
      });
      await forget(stage.forgetful);
      const after = await visit(stage.forgetful, stage.hostname, VISITS_OF_MANY);
      const problems = uneven(after, fleet, second);
      const reasons = [...during.reasons, ...after.reasons];
      return held({ ...during, failed: during.failed + after.failed, reasons, spread: after.spread }, problems);
    });
  }

  await tell("the address moves back to one machine", async () => {
    const visits = await under(stage, 40, async () => {
      await stage.alone();
      await second.close();
      await endAll(fleet);
    });
    return held(visits);
  });

  await tell("nine replicas are refused", async () => {
    const refusal = refusalOf(9);
    const none = { fetches: 0, failed: 0, spread: {}, reasons: [], times: [] };
    return held(
      none,
      /from 1 to 8 \(of 11 tor takes no descriptor/.test(refusal) ? [] : [`nine are not refused: ${refusal}`],
    );
  });
}

/** What is said of a configuration with so many, before anything is made. */
function refusalOf(replicas: number): string {
  try {
    parseFleet((path) => ({ path, value: path === "replicas" ? replicas : undefined }));
    return "nothing is said";
  } catch (error) {
    return (error as Error).message;
  }
}

/** By a client that holds an old descriptor and by one that does not. */
export function under(
  stage: Pick<FleetStage, "forgetful" | "hostname" | "steady">,
  least: number,
  work: () => Promise<void>,
): Promise<Visits> {
  const clients = [
    { client: stage.steady, isForgetful: false },
    { client: stage.forgetful, isForgetful: true },
  ];
  return visitDuring(clients, stage.hostname, least, work);
}

/** 50 fetches while one replica is away; then it is replaced, as Azure or `pulumi up` would. */
async function without(
  stage: FleetStage,
  fleet: Machine[],
  index: number,
  front: FrontEnd,
  takeAway: (machine: Machine) => Promise<void>,
) {
  const machine = fleet[index];
  if (machine === undefined) return held(await visit(stage.steady, stage.hostname, 50), ["there is no such replica"]);
  await takeAway(machine);
  const visits = await visit(stage.steady, stage.hostname, 50);
  await machine.close();
  const next = await stage.replica(index + 1);
  fleet[index] = next;
  await front.hasPublished(addressesOf(fleet), next.published);
  await forget(stage.steady); // a descriptor of two stories ago would lead to one that is gone, too
  return held(visits);
}

/** A directory refuses what counts less than what it has: the front end counts as the tor before it did. */
function refused(front: FrontEnd | undefined): string[] {
  const { failedUploads = 0 } = front?.record() ?? {};
  return failedUploads === 0 ? [] : [`${failedUploads} directories refused the front end's first descriptor`];
}

/** Each by its introduction points in the address: where two replicas chose the same relay, one of them has fewer. */
export function uneven(
  { fetches, spread }: Visits,
  fleet: readonly Pick<Machine, "hostname">[],
  front: Pick<FrontEnd, "record">,
): string[] {
  const { backends = {} } = front.record() ?? {};
  const points = fleet.map(({ hostname }) => backends[hostname]?.introductionPoints ?? 0);
  const all = points.reduce((sum, count) => sum + count, 0);
  return points.flatMap((count, index) => {
    const name = `replica-${index + 1}`;
    const got = spread[name] ?? 0;
    const isFair = count > 0 && got >= (fetches * count * LEAST_SHARE) / all;
    return isFair ? [] : [`${name} answered ${got} of ${fetches} fetches, with ${count} of ${all} introduction points`];
  });
}
