import type { Leak } from "../leaks";
import type { StoryOutcome } from "../report";
import type { StepTime } from "../steps";

/** The outcome of a fleet's rehearsal: what `--json` prints as its last line. */
export interface FleetReport {
  /** Replicas under a systemd of their own each, or the guest's programs one by one. The front end is light in both. */
  guest: "booted" | "light";
  replicas: number;
  /** Fetches by the machine that answered. */
  spread: Record<string, number>;
  /** By story. */
  failedFetches: Record<string, number>;
  /** Of all fetches, in milliseconds. */
  slowestMs: number;
  steps: StepTime[];
  /** Of a booted one, which has a whole deployment: where plaintext was found, and whether the planted canary was. */
  leaks?: Leak[];
  canaryFound?: boolean;
  stories: StoryOutcome[];
  /** What could not be done on this machine, and why. */
  skipped: string[];
  ok: boolean;
}

/** Of a run that has told nothing yet. */
export function emptyReport(replicas: number): Omit<FleetReport, "guest" | "steps"> {
  return { replicas, spread: {}, failedFetches: {}, slowestMs: 0, stories: [], skipped: [], ok: true };
}

const GUESTS = { booted: "booted under systemd; the front end light, its programs one by one", light: "light" };

/** The end of it, for people. */
export function fleetSummary({
  guest,
  replicas,
  spread,
  failedFetches,
  stories,
  leaks = [],
  skipped,
  ok,
}: FleetReport): string {
  const failed = Object.values(failedFetches).reduce((sum, count) => sum + count, 0);
  const shares = Object.entries(spread).map(([name, count]) => `${name} ${count}`);
  const held = stories.filter((story) => story.ok).length;
  const lines = [
    ok ? "all holds" : "NOT everything holds",
    `  guest        ${GUESTS[guest]}`,
    `  replicas     ${replicas}, ${held} of ${stories.length} stories hold`,
    `  spread       ${shares.join(", ") || "not seen"}`,
    `  fetches      ${failed === 0 ? "none failed" : `${failed} FAILED`}`,
    ...leaks.map(({ plaintext, form, where }) => `  FOUND ${plaintext} in ${form}: ${where}`),
    ...skipped.map((reason) => `  ${reason}`),
  ];
  return `\n${lines.join("\n")}\n`;
}
