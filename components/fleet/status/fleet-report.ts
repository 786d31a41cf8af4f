import { SILENT_MS, type Verdict, verdictOf } from "../../vm/status/verdict";
import { type Balanced, DESCRIPTOR_MS, type FleetMachineStatus, LATE_MS, notTakenIn } from "../fleet-status";

/** One machine of a fleet, and what is to be thought of it. */
export interface Member {
  readonly role: string;
  /** Undefined: it has never said anything. */
  readonly status?: FleetMachineStatus;
  /** Of its addresses: how many introduction points the front ends have published. */
  readonly introductionPoints?: number;
  /** Of all replicas' visits, 0 to 1, as their tors count introductions; undefined before they have. */
  readonly share?: number;
  readonly verdict: Verdict;
}

export interface FleetReport {
  readonly stack: string;
  readonly members: readonly Member[];
  readonly verdict: Verdict;
}

/** What there must be. */
export interface ExpectedFleet {
  readonly stack: string;
  readonly replicas: number;
  readonly frontEnds: number;
}

const CONSOLE = "look at its console: az vm boot-diagnostics get-boot-log --ids";
const HTTP_STATUS = "npm run status -- --watch";

/** @param all what every machine that ever said something said last, those that are long gone among them */
export function fleetReport(
  { stack, replicas, frontEnds }: ExpectedFleet,
  all: readonly FleetMachineStatus[],
  now: Date,
): FleetReport {
  const newest = [...all].sort((left, right) => (left.written < right.written ? 1 : -1));
  const fronts = newest.filter(({ frontEnd, written }) => frontEnd !== undefined && age(written, now) <= SILENT_MS);
  const last = newest.find(({ frontEnd }) => frontEnd !== undefined);
  const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
  const members = [
    ...withShares(numbers.map((number) => replicaMember(number, newest, fronts, now))),
    ...frontEndsOf(frontEnds, newest, fronts).map(([number, status]) => frontEndMember(number, status, now)),
  ];
  return { stack, members, verdict: fleetVerdict(members, fronts, last, now) };
}

function replicaMember(
  number: number,
  newest: readonly FleetMachineStatus[],
  fronts: readonly FleetMachineStatus[],
  now: Date,
): Member {
  const role = `replica ${number}`;
  const status = newest.find(({ replica }) => replica === number);
  if (status === undefined)
    return { role, verdict: { serving: false, problem: `${role} has never said anything`, remedy: "pulumi up" } };
  const verdict = verdictOf(status, now);
  const missing = verdict.serving && fronts.length > 0 ? notTakenIn(status, fronts) : undefined;
  const taken = missing === undefined ? verdict : { serving: false, problem: missing, remedy: HTTP_STATUS };
  return { role, status, introductionPoints: pointsOf(status, fronts), verdict: taken };
}

/** By visits an hour: a replica that was replaced has counted for less time. */
function withShares(replicas: readonly Member[]): Member[] {
  const rates = replicas.map(({ status }) => {
    const { introductions = 0, seconds = 0 } = status?.visits ?? {};
    return seconds > 0 ? introductions / seconds : undefined;
  });
  const all = rates.reduce<number>((sum, rate = 0) => sum + rate, 0);
  if (all === 0) return [...replicas];
  return replicas.map((replica, index) => {
    const rate = rates[index];
    return rate === undefined ? replica : { ...replica, share: rate / all };
  });
}

/** The most that one front end has published: two front ends publish the same ones. */
function pointsOf({ services }: FleetMachineStatus, fronts: readonly FleetMachineStatus[]): number {
  const own = Object.values(services).map(({ hostname }) => hostname);
  const counts = fronts.map(({ frontEnd = {} }) =>
    Object.values(frontEnd)
      .flatMap(({ backends }) => own.map((hostname) => backends[hostname]?.introductionPoints ?? 0))
      .reduce((sum, points) => sum + points, 0),
  );
  return Math.max(0, ...counts);
}

/** `sealed-onion-dev-front-end-2-abcdef` -> 2. */
function numberOf({ machine }: FleetMachineStatus): number {
  return Number(/-front-end-(\d)-[a-z0-9]+$/.exec(machine)?.[1] ?? 1);
}

/** Each that there must be, and what of its number said something last; one more that speaks is one that is about to go. */
function frontEndsOf(
  wanted: number,
  newest: readonly FleetMachineStatus[],
  fronts: readonly FleetMachineStatus[],
): [number: number, status: FleetMachineStatus | undefined][] {
  const all = newest.filter(({ frontEnd }) => frontEnd !== undefined);
  const most = Math.max(wanted, ...fronts.map(numberOf));
  return Array.from({ length: most }, (_, index): [number, FleetMachineStatus | undefined] => {
    return [index + 1, all.find((status) => numberOf(status) === index + 1)];
  }).filter(([number, status]) => number <= wanted || (status !== undefined && fronts.includes(status)));
}

function frontEndMember(number: number, status: FleetMachineStatus | undefined, now: Date): Member {
  const role = `front end ${number}`;
  if (status === undefined)
    return { role, verdict: { serving: false, problem: "it has never said anything", remedy: "pulumi up" } };
  const verdict = verdictOf(status, now);
  const addresses = Object.entries(status.frontEnd ?? {});
  const alarm = verdict.serving
    ? addresses.flatMap(([address, balanced]) => alarmOf(address, balanced, now))[0]
    : undefined;
  return { role, status, verdict: alarm ?? verdict };
}

/** It publishes every hour, and is told which directories do not take it in. */
function alarmOf(address: string, { published, failedUploads }: Balanced, now: Date): Verdict[] {
  const remedy = HTTP_STATUS;
  if (published !== null && age(published, now) > LATE_MS) {
    const problem = `it has not published ${address} for ${duration(age(published, now))}, which it does every hour`;
    return [{ serving: false, problem, remedy }];
  }
  if (failedUploads === 0) return [];
  const directories = failedUploads === 1 ? "a directory has" : `${failedUploads} directories have`;
  return [{ serving: true, problem: `${directories} not taken in what it published last of ${address}`, remedy }];
}

function fleetVerdict(
  members: readonly Member[],
  fronts: readonly FleetMachineStatus[],
  last: FleetMachineStatus | undefined,
  now: Date,
): Verdict {
  const replicas = members.filter(({ role }) => role.startsWith("replica"));
  const isServed = replicas.some(({ verdict }) => verdict.serving);
  if (fronts.length === 0) return withoutFrontEnd(last, isServed, now);
  const [worst] = [...members].filter(({ verdict }) => verdict.problem !== undefined).sort(byServing);
  if (worst === undefined) return { serving: isServed };
  const { problem = "", remedy } = worst.verdict;
  return { serving: isServed, problem: `${worst.role}: ${problem}`, ...(remedy === undefined ? {} : { remedy }) };
}

function byServing(left: Member, right: Member): number {
  return Number(left.verdict.serving) - Number(right.verdict.serving);
}

/** The replicas serve on; what leads to them lasts as long as the descriptor that was published last. */
function withoutFrontEnd(last: FleetMachineStatus | undefined, isServed: boolean, now: Date): Verdict {
  const published = Object.values(last?.frontEnd ?? {}).map((balanced) => Date.parse(balanced.published ?? ""));
  const left = published.length === 0 ? 0 : Math.min(...published) + DESCRIPTOR_MS - now.getTime();
  const remedy = last === undefined ? "pulumi up" : `${CONSOLE} ${last.resourceId}`;
  if (!(left > 0)) return { serving: false, problem: "no front end publishes, and the address leads nowhere", remedy };
  const problem = `no front end publishes: the address lives on for about ${duration(left)}`;
  return { serving: isServed, problem, remedy };
}

function age(time: string, now: Date): number {
  return now.getTime() - Date.parse(time);
}

function duration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
