import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sendVisitor, type Visited } from "../rehearsal/booted/visitor";
import type { Cleanup } from "../rehearsal/cleanup";
import { fetchOnion } from "../rehearsal/tor/fetch-onion";
import { followDescriptors } from "../rehearsal/tor/follow-descriptors";
import { openOnionStage } from "../rehearsal/tor/onion-stage";

const REPLACEMENTS = 3;
const PAUSE_MS = 8_000;
/** How long a browser waits for an answer before it shows an error: a client finds a machine that moved after 4 to 8 s. */
const PATIENCE_MS = 60_000;

/** Machines that are replaced, each by one that serves first, while somebody fetches twice a second. */
export async function replaceWithVisits(cleanup: Cleanup): Promise<{ fetches: number; failedFetches: number }> {
  const directory = fs.mkdtempSync(path.join(process.env.TMPDIR ?? "/tmp", "t-"));
  const stage = await openOnionStage(directory);
  cleanup.add(() => stage.close());
  let serving = await stage.service("machine-0");
  const url = `http://${stage.hostname}/`;
  await fetchOnion(stage.network.client.socksPort, url, { deadlineMs: 60_000 });
  // As a client that has run for a while has learned it.
  await stage.network.client.process.control.ask("SETCONF LearnCircuitBuildTimeout=0 CircuitBuildTimeout=3");
  const visitor = sendVisitor(stage.network, url, PATIENCE_MS);
  let visited: Visited;
  try {
    for (let number = 1; number <= REPLACEMENTS; number += 1) {
      await sleep(PAUSE_MS);
      const next = await stage.service(`machine-${number}`);
      const follower = followDescriptors(directory, next.directory, stage.hostname);
      await follower.until("own"); // what the machine's status says, and `up` waits for
      await follower.close();
      await serving.close();
      serving = next;
    }
    await sleep(PAUSE_MS);
  } finally {
    visited = await visitor.leave();
    await serving.close();
  }
  return { fetches: visited.visits.length, failedFetches: visited.failed };
}
