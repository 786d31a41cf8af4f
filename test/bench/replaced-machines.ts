import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sendVisitor } from "../rehearsal/booted/visitor";
import type { Cleanup } from "../rehearsal/cleanup";
import { fetchOnion } from "../rehearsal/tor/fetch-onion";
import { followDescriptors } from "../rehearsal/tor/follow-descriptors";
import { openOnionStage } from "../rehearsal/tor/onion-stage";

const REPLACEMENTS = 3;
const PAUSE_MS = 8_000;

/** Machines that are replaced, each by one that serves first, while somebody fetches twice a second. */
export async function replaceWithVisits(cleanup: Cleanup): Promise<{ fetches: number; failedFetches: number }> {
  const directory = fs.mkdtempSync(path.join(process.env.TMPDIR ?? "/tmp", "t-"));
  const stage = await openOnionStage(directory);
  cleanup.add(() => stage.close());
  let serving = await stage.service("machine-0");
  const url = `http://${stage.hostname}/`;
  await fetchOnion(stage.network.client.socksPort, url, { deadlineMs: 60_000 });
  const visitor = sendVisitor(stage.network, url);
  for (let number = 1; number <= REPLACEMENTS; number += 1) {
    await sleep(PAUSE_MS);
    const name = `machine-${number}`;
    const next = await stage.service(name);
    const follower = followDescriptors(directory, path.join(directory, name), stage.hostname);
    await follower.until("own"); // what the machine's status says, and `up` waits for
    await follower.close();
    await serving.close();
    serving = next;
  }
  await sleep(PAUSE_MS);
  const { failed, visits } = await visitor.leave();
  await serving.close();
  return { fetches: visits.length, failedFetches: failed };
}
