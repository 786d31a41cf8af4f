import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "../rehearsal/cleanup";
import { fetchOnion } from "../rehearsal/tor/fetch-onion";
import { openOnionStage } from "../rehearsal/tor/onion-stage";
import { fetchDuring, replaceMachine, seasonClient } from "../rehearsal/tor/replacements";

const FETCHES = 200;
const REPLACEMENTS = 3;
const PAUSE_MS = 8_000;

/** Machines that are replaced, each by one that serves first, while somebody fetches one page after the other. */
export async function replaceWithVisits(cleanup: Cleanup): Promise<{ fetches: number; failedFetches: number }> {
  const directory = fs.mkdtempSync(path.join(process.env.TMPDIR ?? "/tmp", "t-"));
  const stage = await openOnionStage(directory);
  cleanup.add(() => stage.close());
  await seasonClient(stage);
  let serving = await stage.service("machine");
  await fetchOnion(stage.network.client.socksPort, `http://${stage.hostname}/`, { deadlineMs: 60_000 });
  const { failed } = await fetchDuring(stage, FETCHES, async () => {
    for (let replaced = 0; replaced < REPLACEMENTS; replaced++) {
      await sleep(PAUSE_MS);
      serving = await replaceMachine(stage, directory, serving);
    }
  });
  await serving.close();
  return { fetches: FETCHES, failedFetches: failed };
}
