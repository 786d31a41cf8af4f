import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { fetchOnion } from "./fetch-onion";
import { finishVisits } from "./finish-visits";
import type { OnionService } from "./onion-service";
import { type OnionStage, openOnionStage } from "./onion-stage";

const missing = ["tor", "tor-gencert", "socat"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

describe.skipIf(missing.length > 0)(`the visits of a machine that goes${skipped}`, () => {
  let directory: string;
  let stage: OnionStage;
  let machine: OnionService;
  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-"));
    stage = await openOnionStage(directory);
    machine = await stage.service("machine");
    await visit("/", { deadlineMs: 60_000 });
  }, 120_000);
  afterAll(async () => {
    await machine?.close();
    await stage?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  let circuits = 0;
  function visit(page: string, options: { deadlineMs: number; tries?: number }) {
    const url = `http://${stage.hostname}${page}`;
    const { socksPort } = stage.network.client;
    return fetchOnion(socksPort, url, { tryMs: options.deadlineMs, ...options, circuit: `visit-${circuits++}` });
  }

  it("of one that comes back are not waited for, and go on", async () => {
    const start = performance.now();
    await finishVisits(machine.directory, "reboot.target");
    expect(performance.now() - start).toBeLessThan(4_000);
    expect((await visit("/", { deadlineMs: 60_000, tries: 1 })).status).toBe(200);
  }, 120_000);

  it("end well where they have begun, and no other begins", async () => {
    const begun = visit("/slow", { deadlineMs: 60_000, tries: 1 });
    await sleep(1_500); // it has reached the site, which answers a second later
    const finished = finishVisits(machine.directory);
    await sleep(500);
    const late = visit("/", { deadlineMs: 3_000, tries: 1 });
    await expect(late).rejects.toThrow();
    expect((await begun).status).toBe(200);
    await finished;
  }, 120_000);
});
