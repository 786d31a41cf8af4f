import type { StoryOutcome } from "../report";
import type { StepTime } from "../steps";

/** The outcome of a fleet's rehearsal: what `--json` prints as its last line. */
export interface FleetReport {
  replicas: number;
  /** Fetches by the machine that answered. */
  spread: Record<string, number>;
  /** By story. */
  failedFetches: Record<string, number>;
  /** Of all fetches, in milliseconds. */
  slowestMs: number;
  steps: StepTime[];
  stories: StoryOutcome[];
  /** What could not be done on this machine, and why. */
  skipped: string[];
  ok: boolean;
}

/** The end of it, for people. */
export function fleetSummary({ replicas, spread, failedFetches, stories, skipped, ok }: FleetReport): string {
  const failed = Object.values(failedFetches).reduce((sum, count) => sum + count, 0);
  const shares = Object.entries(spread).map(([name, count]) => `${name} ${count}`);
  const held = stories.filter((story) => story.ok).length;
  const lines = [
    ok ? "all holds" : "NOT everything holds",
    `  replicas     ${replicas}, ${held} of ${stories.length} stories hold`,
    `  spread       ${shares.join(", ") || "not seen"}`,
    `  fetches      ${failed === 0 ? "none failed" : `${failed} FAILED`}`,
    ...skipped.map((reason) => `  ${reason}`),
  ];
  return `\n${lines.join("\n")}\n`;
}
