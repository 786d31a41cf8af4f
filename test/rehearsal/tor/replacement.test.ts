import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatSecretKeyFile, generateOnionKey } from "../../../components/onion/keys";
import { findOnPath } from "../../../components/process/find-program";
import { volume } from "../../volume";
import { fetchOnion } from "./fetch-onion";
import { finishVisits } from "./finish-visits";
import { followDescriptors } from "./follow-descriptors";
import { type OnionStage, openOnionStage } from "./onion-stage";

const missing = ["tor", "tor-gencert", "socat", "jq"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

/** Fetches in all, and how many machines one after the other replace the first meanwhile. */
const FETCHES = volume({ usual: 60, long: 200 });
const REPLACEMENTS = volume({ usual: 1, long: 2 });
/** How long a browser waits for an answer before it shows an error. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 150;

describe.skipIf(missing.length > 0)(`a machine is replaced by one that serves first${skipped}`, () => {
  let directory: string;
  let stage: OnionStage;
  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-"));
    stage = await openOnionStage(directory);
    // As a client that has run for a while has learned it; a new one gives each step of a visit a minute, and an
    // introduction that the machine before took in its last moment three.
    await stage.network.client.process.control.ask("SETCONF LearnCircuitBuildTimeout=0 CircuitBuildTimeout=3");
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  /** Fetches one after the other, while `work` is done; those that failed, and how long the slowest took. */
  async function fetchDuring(work: () => Promise<void>): Promise<{ failed: number; slowestMs: number }> {
    const url = `http://${stage.hostname}/`;
    const { socksPort } = stage.network.client;
    const working = work();
    let [failed, slowestMs] = [0, 0];
    for (let fetched = 0; fetched < FETCHES; fetched++) {
      const start = performance.now();
      const page = await fetchOnion(socksPort, url, { deadlineMs: PATIENCE_MS, tryMs: PATIENCE_MS }).catch(
        () => undefined,
      );
      if (page === undefined || page.attempts > 1) failed++;
      slowestMs = Math.max(slowestMs, performance.now() - start);
      await sleep(PAUSE_MS);
    }
    await working;
    return { failed, slowestMs };
  }

  it(`loses none of ${FETCHES} fetches, over replacements in a row: ${REPLACEMENTS}`, async () => {
    let serving = await stage.service("machine");
    await fetchOnion(stage.network.client.socksPort, `http://${stage.hostname}/`, { deadlineMs: 60_000 });
    const { failed, slowestMs } = await fetchDuring(async () => {
      for (let replaced = 0; replaced < REPLACEMENTS; replaced++) {
        await sleep(5_000);
        const next = await stage.service("machine");
        const follower = followDescriptors(directory, next.directory, stage.hostname);
        await follower.until("own"); // what the machine's status says, and `up` waits for
        await follower.close();
        await finishVisits(serving.directory); // as its system does on its way down
        await serving.close();
        serving = next;
      }
    });
    await serving.close();
    expect(failed, `slowest: ${Math.round(slowestMs)} ms`).toBe(0);
  }, 300_000);

  it("which one that is refused does not take the service away from the machine before", async () => {
    const serving = await stage.service("machine");
    await fetchOnion(stage.network.client.socksPort, `http://${stage.hostname}/`, { deadlineMs: 60_000 });
    const { failed, slowestMs } = await fetchDuring(async () => {
      // Refused once it exists: its key is not the address's, and tor ends before it publishes.
      const folder = await stage.layOut("refused", stage.key);
      fs.rmSync(path.join(folder, "hs_ed25519_secret_key"));
      fs.writeFileSync(path.join(folder, "hs_ed25519_secret_key"), formatSecretKeyFile(generateOnionKey()));
      await expect(stage.start("refused", folder)).rejects.toThrow(/^tor \(refused\) ended/);
    });
    await serving.close();
    expect(failed, `slowest: ${Math.round(slowestMs)} ms`).toBeLessThanOrEqual(1);
  }, 300_000);
});
