import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Cleanup } from "../rehearsal/cleanup";
import type { Machine } from "../rehearsal/replicas/backend";
import { provideOnionbalance } from "../rehearsal/replicas/onionbalance";
import { type FleetStage, openFleetStage } from "../rehearsal/replicas/stage";
import { forget, visit } from "../rehearsal/replicas/visits";
import { median } from "./median";

/**
 * Visits a second and their latency at one machine, and at 3 and 8 replicas behind a front end, side by side on one
 * private Tor network; and how long a visitor waits at most while one of the replicas is dead. All of it, relays and
 * client too, shares the cores of this machine: what a replica adds is bounded by them, not by Tor.
 * `--json` adds a last line of JSON.
 */
const VISITS = 200;
const TOGETHER = 8;
const AFTER_DEATH = 60;

interface Row {
  readonly replicas: number;
  readonly visitsPerSecond: number;
  readonly medianMs: number;
  readonly worstOf20Ms: number;
  readonly longestMs: number;
  /** Undefined where there is one machine: nobody takes its place. */
  readonly longestWaitMs?: number;
  readonly failed: number;
}

async function measure(stage: FleetStage, fleet: readonly Machine[]): Promise<Row> {
  await forget(stage.forgetful);
  await visit(stage.forgetful, stage.hostname, TOGETHER, TOGETHER); // the descriptor is fetched once
  const visits = await visit(stage.forgetful, stage.hostname, VISITS, TOGETHER);
  const sorted = [...visits.times].sort((left, right) => left - right);
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length;
  const row = {
    replicas: fleet.length,
    // Not by the clock: at the end one visitor who waits ten seconds for a circuit would halve it.
    visitsPerSecond: Number(((TOGETHER * 1000) / mean).toFixed(1)),
    medianMs: Math.round(median(sorted)),
    worstOf20Ms: Math.round(sorted[Math.floor(sorted.length * 0.95)] ?? 0),
    longestMs: Math.round(sorted.at(-1) ?? 0),
    failed: visits.failed,
  };
  if (fleet.length === 1) return row;
  await fleet[0]?.kill();
  const after = await visit(stage.forgetful, stage.hostname, AFTER_DEATH, TOGETHER);
  return { ...row, longestWaitMs: Math.round(Math.max(...after.times)), failed: visits.failed + after.failed };
}

async function alone(stage: FleetStage): Promise<Row> {
  const machine = await stage.alone();
  const row = await measure(stage, [machine]);
  await machine.close();
  return row;
}

async function behindFrontEnd(stage: FleetStage, replicas: number): Promise<Row> {
  const fleet = await Promise.all(Array.from({ length: replicas }, (_, index) => stage.replica(index + 1)));
  const front = await stage.frontEnd(fleet);
  await front.hasPublished(
    fleet.map(({ hostname }) => hostname),
    0,
  );
  const row = await measure(stage, fleet);
  await front.close();
  for (const machine of fleet) await machine.close();
  return row;
}

async function main(): Promise<void> {
  const cleanup = new Cleanup();
  const onionbalance = await provideOnionbalance(console.error);
  if (onionbalance.skipped !== undefined) return console.log(onionbalance.skipped);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "so-"));
  cleanup.add(() => fs.rmSync(directory, { recursive: true, force: true }));
  try {
    const stage = await openFleetStage({ directory, onionbalance }, cleanup);
    const rows = [await alone(stage), await behindFrontEnd(stage, 3), await behindFrontEnd(stage, 8)];
    for (const { replicas, visitsPerSecond, medianMs, worstOf20Ms, longestMs, longestWaitMs, failed } of rows) {
      const wait = longestWaitMs === undefined ? "" : `, one dead: ${longestWaitMs} ms at most`;
      const latency = `median ${medianMs} ms, worst of 20 ${worstOf20Ms} ms, longest ${longestMs} ms`;
      console.log(`${replicas} replicas: ${visitsPerSecond} visits/s, ${latency}${wait}, ${failed} failed`);
    }
    if (process.argv.includes("--json"))
      console.log(JSON.stringify(Object.fromEntries(rows.map((row) => [`at${row.replicas}`, row]))));
    process.exitCode = rows.some(({ failed }) => failed > 0) ? 1 : 0;
  } finally {
    await cleanup.run();
  }
}

void main();
