import { describe, expect, it } from "vitest";
import type { Balanced, FleetMachineStatus } from "../../../../components/fleet/fleet-status";
import { fleetReport } from "../../../../components/fleet/status/fleet-report";
import { fleetJson, fleetMetrics, fleetText } from "../../../../components/fleet/status/fleet-text";
import { exampleStatus, HOSTNAME } from "../../vm/status/example-status";

const NOW = new Date("2026-06-01T12:00:00Z");
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString().replace(".000", "");
const ownAddress = (number: number) => `${"b".repeat(55)}${number}.onion`;

function replica(number: number, change: Partial<FleetMachineStatus> = {}): FleetMachineStatus {
  const site = { hostname: ownAddress(number), published: minutesAgo(30), state: "own" as const };
  const machine = `sealed-onion-dev-replica-${number}-abcdef`;
  return {
    ...exampleStatus({ machine, written: minutesAgo(1), services: { site } }),
    replica: number,
    zone: `${number}`,
    ...change,
  };
}

function frontEnd(
  change: Partial<Balanced> = {},
  written = minutesAgo(1),
  name = "front-end-1-abcdef",
): FleetMachineStatus {
  const backends = [1, 2, 3].map((number) => [ownAddress(number), { introductionPoints: 2, fetched: minutesAgo(1) }]);
  const balanced = {
    published: minutesAgo(20),
    uploading: false,
    failedUploads: 0,
    backends: Object.fromEntries(backends),
  };
  const site = { hostname: HOSTNAME, published: minutesAgo(20), state: "own" as const };
  const status = exampleStatus({ machine: `sealed-onion-dev-${name}`, written, services: { site } });
  return { ...status, frontEnd: { [HOSTNAME]: { ...balanced, ...change } } };
}

const fleet = [replica(1), replica(2), replica(3)];
const report = (...machines: FleetMachineStatus[]) =>
  fleetReport({ stack: "dev", replicas: 3, frontEnds: 1 }, machines, NOW);

describe("a fleet's status", () => {
  it("shows every replica with its zone, what it published, and what is taken into the address", () => {
    expect(fleetText(report(...fleet, frontEnd())).split("\n")).toEqual([
      "stack        dev",
      ...[1, 2, 3].map(
        (n) => `replica ${n}    zone ${n}, published 2026-06-01T11:30:00Z, 2 introduction points in the address`,
      ),
      "front end 1  published 2026-06-01T11:40:00Z",
      "it serves",
    ]);
  });

  it("shows each replica's share of the visits, by what each tor has counted an hour", () => {
    const visits = (introductions: number, seconds: number) => ({ visits: { introductions, seconds } });
    const counted = [replica(1, visits(90, 3600)), replica(2, visits(10, 1800)), replica(3)];
    const told = report(...counted, frontEnd());
    const percent = told.members.map(({ share }) => share && Math.round(share * 100));
    expect(percent).toEqual([82, 18, undefined, undefined]);
    expect(fleetText(told)).toMatch(/^replica 1 .*, 82 % of visits$/m);
    expect(fleetText(told)).toMatch(/^replica 3 .* points in the address$/m);
    expect(fleetMetrics(told)).toContain('sealed_onion_visits_share{stack="dev",role="replica 2"} 0.182\n');
    const quiet = report(replica(1, visits(0, 3600)), replica(2), replica(3), frontEnd());
    expect(quiet.members.every(({ share }) => share === undefined)).toBe(true);
  });

  it.each<[string, FleetMachineStatus[], { serving: boolean; problem?: unknown }]>([
    ["all are well", [...fleet, frontEnd()], { serving: true }],
    [
      "a replica has never said anything",
      [replica(1), replica(2), frontEnd()],
      { serving: true, problem: "replica 3: replica 3 has never said anything" },
    ],
    [
      "a replica is silent",
      [replica(1), replica(2), replica(3, { written: minutesAgo(20) }), frontEnd()],
      { serving: true, problem: "replica 3: sealed-onion-dev-replica-3-abcdef has said nothing for 20 minutes" },
    ],
    [
      "a replica published after the front end looked",
      [
        replica(1),
        replica(2),
        replica(3, { services: { site: { hostname: ownAddress(3), published: minutesAgo(0), state: "own" } } }),
        frontEnd(),
      ],
      { serving: true, problem: `replica 3: no front end has published its introduction points yet, ${ownAddress(3)}` },
    ],
    [
      "no replica serves",
      [
        ...[1, 2, 3].map((n) => replica(n, { tor: { state: "failed", version: "0", why: "its key is foreign" } })),
        frontEnd(),
      ],
      { serving: false, problem: "replica 1: tor is failed: its key is foreign" },
    ],
    [
      "directories refuse what is published",
      [...fleet, frontEnd({ failedUploads: 3 })],
      { serving: true, problem: `front end 1: 3 directories have not taken in what it published last of ${HOSTNAME}` },
    ],
    [
      "nothing was published for longer than an hour and a half",
      [...fleet, frontEnd({ published: minutesAgo(91) })],
      {
        serving: true,
        problem: `front end 1: it has not published ${HOSTNAME} for 1 h 31 min, which it does every hour`,
      },
    ],
    ["the last one published 89 minutes ago", [...fleet, frontEnd({ published: minutesAgo(89) })], { serving: true }],
    [
      "the only front end is dead",
      [...fleet, frontEnd({ published: minutesAgo(50) }, minutesAgo(50))],
      { serving: true, problem: "no front end publishes: the address lives on for about 2 h 10 min" },
    ],
    [
      "it is dead for as long as a descriptor lives",
      [...fleet, frontEnd({ published: minutesAgo(181) }, minutesAgo(181))],
      { serving: false, problem: "no front end publishes, and the address leads nowhere" },
    ],
    [
      "no front end was ever there",
      fleet,
      { serving: false, problem: "no front end publishes, and the address leads nowhere" },
    ],
  ])("where %s", (_, machines, expected) => {
    const { remedy, ...verdict } = report(...machines).verdict;
    expect(verdict).toEqual(expected);
    expect(remedy === undefined).toBe(expected.problem === undefined);
  });

  it("says which of two front ends is dead, or was never there, and shows one more until it is gone", () => {
    const both = (...fronts: FleetMachineStatus[]) =>
      fleetReport({ stack: "dev", replicas: 3, frontEnds: 2 }, [...fleet, ...fronts], NOW);
    const second = (written?: string) => frontEnd({}, written, "front-end-2-abcdef");
    expect(both(frontEnd(), second()).verdict).toEqual({ serving: true });
    const name = "sealed-onion-dev-front-end-1-abcdef";
    const dead = both(frontEnd({}, minutesAgo(60)), second());
    expect(dead.verdict).toMatchObject({
      serving: true,
      problem: `front end 1: ${name} has said nothing for 60 minutes`,
    });
    expect(fleetText(dead)).toMatch(/^front end 2 {2}published/m);
    const alone = both(frontEnd());
    expect(alone.verdict).toMatchObject({ serving: true, problem: "front end 2: it has never said anything" });
    expect(report(...fleet, frontEnd(), second()).members.map(({ role }) => role)).toContain("front end 2");
    expect(report(...fleet, frontEnd(), second(minutesAgo(60))).verdict).toEqual({ serving: true });
  });

  it("is of the machines that are there now, not of those that they replaced", () => {
    const old = replica(1, { written: minutesAgo(100), machine: "sealed-onion-dev-replica-1-oldold" });
    expect(report(old, ...fleet, frontEnd({}, minutesAgo(90)), frontEnd()).verdict).toEqual({ serving: true });
  });

  it("is one line of JSON for programs, and metrics", () => {
    const whole = report(...fleet, frontEnd());
    expect(JSON.parse(fleetJson(whole))).toMatchObject({
      stack: "dev",
      serving: true,
      machines: [{ role: "replica 1" }, {}, {}, {}],
    });
    expect(fleetMetrics(whole)).toContain('sealed_onion_introduction_points{stack="dev",role="replica 2"} 2\n');
    expect(fleetMetrics(whole)).toContain('sealed_onion_serving{stack="dev",role="address"} 1\n');
  });
});
