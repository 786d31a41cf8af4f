import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatSecretKeyFile, generateOnionKey } from "../../../components/onion/keys";
import { findOnPath } from "../../../components/process/find-program";
import { volume } from "../../volume";
import { fetchOnion } from "./fetch-onion";
import { type OnionStage, openOnionStage } from "./onion-stage";
import { fetchDuring, replaceMachine, seasonClient } from "./replacements";

const missing = ["tor", "tor-gencert", "socat", "jq"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

/** Fetches in all, and how many machines one after the other replace the first meanwhile. */
const FETCHES = volume({ usual: 60, long: 200 });
const REPLACEMENTS = volume({ usual: 1, long: 2 });

describe.skipIf(missing.length > 0)(`a machine is replaced by one that serves first${skipped}`, () => {
  let directory: string;
  let stage: OnionStage;
  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-"));
    stage = await openOnionStage(directory);
    await seasonClient(stage);
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  it(`loses none of ${FETCHES} fetches, over replacements in a row: ${REPLACEMENTS}`, async () => {
    let serving = await stage.service("machine");
    await fetchOnion(stage.network.client.socksPort, `http://${stage.hostname}/`, { deadlineMs: 60_000 });
    const { failed, slowestMs } = await fetchDuring(stage, FETCHES, async () => {
      for (let replaced = 0; replaced < REPLACEMENTS; replaced++) {
        await sleep(5_000);
        serving = await replaceMachine(stage, directory, serving);
      }
    });
    await serving.close();
    expect(failed, `slowest: ${Math.round(slowestMs)} ms`).toBe(0);
  }, 300_000);

  it("which one that is refused does not take the service away from the machine before", async () => {
    const serving = await stage.service("machine");
    await fetchOnion(stage.network.client.socksPort, `http://${stage.hostname}/`, { deadlineMs: 60_000 });
    const { failed, slowestMs } = await fetchDuring(stage, FETCHES, async () => {
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
