import type { Steps } from "../steps";
import type { FleetReport } from "./report";
import type { Tell } from "./stories";

/** Stories that are told one after the other, and what they came to. */
export interface Telling {
  readonly tell: Tell;
  /** Of all that were told by now. */
  outcome(): Pick<FleetReport, "failedFetches" | "slowestMs" | "spread" | "stories"> & { readonly ok: boolean };
}

/** Shows each story as a step, with its fetches. */
export function newTelling(steps: Steps): Telling {
  const stories: FleetReport["stories"] = [];
  const failedFetches: Record<string, number> = {};
  let spread: FleetReport["spread"] = {};
  let slowestMs = 0;
  return {
    async tell(name, story) {
      const start = performance.now();
      const { visits, problems } = await steps.run(name, story, ({ visits: { fetches, failed, times } }) =>
        fetches === 0
          ? ""
          : `${failed} of ${fetches} fetches failed, slowest ${(Math.max(...times) / 1000).toFixed(1)} s`,
      );
      for (const problem of [...visits.reasons, ...problems]) steps.say(problem);
      if (name === "spread") spread = visits.spread;
      failedFetches[name] = visits.failed;
      slowestMs = Math.max(slowestMs, ...visits.times);
      const seconds = Math.round((performance.now() - start) / 100) / 10;
      stories.push({ name, seconds, ok: visits.failed === 0 && problems.length === 0 });
    },
    outcome: () => ({
      ...{ spread, failedFetches, slowestMs: Math.round(slowestMs), stories },
      ok: stories.every(({ ok }) => ok),
    }),
  };
}
