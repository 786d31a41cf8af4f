import { setTimeout as sleep } from "node:timers/promises";
import { fetchOnion } from "./fetch-onion";
import { finishVisits } from "./finish-visits";
import { followDescriptors } from "./follow-descriptors";
import type { OnionService } from "./onion-service";
import type { OnionStage } from "./onion-stage";

/** How long a browser waits for an answer before it shows an error. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 150;

/** What came of fetching a page again and again. */
export interface Fetched {
  readonly failed: number;
  readonly slowestMs: number;
}

/**
 * A client that has run for a while: it has learned how long circuits take. A new one gives each step of a visit a minute,
 * and an introduction that the machine before took in its last moment three.
 */
export async function seasonClient({ network }: OnionStage): Promise<void> {
  await network.client.process.control.ask("SETCONF LearnCircuitBuildTimeout=0 CircuitBuildTimeout=3");
}

/** Fetches one after the other, while `work` is done: those that failed, and how long the slowest took. */
export async function fetchDuring(
  { hostname, network }: OnionStage,
  fetches: number,
  work: () => Promise<void>,
): Promise<Fetched> {
  const working = work();
  let [failed, slowestMs] = [0, 0];
  for (let fetched = 0; fetched < fetches; fetched++) {
    const start = performance.now();
    const options = { deadlineMs: PATIENCE_MS, tryMs: PATIENCE_MS };
    const page = await fetchOnion(network.client.socksPort, `http://${hostname}/`, options).catch(() => undefined);
    if (page === undefined || page.attempts > 1) failed++;
    slowestMs = Math.max(slowestMs, performance.now() - start);
    await sleep(PAUSE_MS);
  }
  await working;
  return { failed, slowestMs };
}

/** Starts the next machine, and ends the one before when the network gives out the next one's descriptor. */
export async function replaceMachine(
  stage: OnionStage,
  directory: string,
  before: OnionService,
): Promise<OnionService> {
  const next = await stage.service("machine");
  const follower = followDescriptors(directory, next.directory, stage.hostname);
  await follower.until("own"); // what the machine's status says, and `up` waits for
  await follower.close();
  await finishVisits(before.directory); // as its system does on its way down
  await before.close();
  return next;
}
