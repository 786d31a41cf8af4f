import { setTimeout as sleep } from "node:timers/promises";
import { fetchOnion } from "../tor/fetch-onion";
import type { TorNetwork } from "../tor/network";

/** One fetch of the page. */
export interface Visit {
  /** When it began: milliseconds of `performance.now()`. */
  readonly at: number;
  /** The page; undefined where there was none. */
  readonly page: string | undefined;
}

/** What came of fetching the page all the time. */
export interface Visited {
  readonly visits: readonly Visit[];
  readonly failed: number;
  /** From the first fetch that failed to the last one, and the pause after it. */
  readonly secondsAway: number;
}

/** Somebody who fetches the page twice a second. */
export interface Visitor {
  /** Waits until this page is served. @returns when, as `performance.now()` */
  sees(page: string, withinMs: number): Promise<number>;
  /** Ends. */
  leave(): Promise<Visited>;
}

const EVERY_MS = 500;
/** As long as a person looks at an empty tab. */
const PATIENCE_MS = 10_000;

let circuits = 0;

/**
 * Begins to fetch, each time without waiting for the fetch before and by a circuit of its own, as so many people would:
 * on one circuit all would wait for an introduction that the tor before took in its last moment.
 */
export function sendVisitor({ client }: TorNetwork, url: string): Visitor {
  const visits: Visit[] = [];
  const open = new Set<Promise<void>>();
  let isHere = true;
  const visit = async () => {
    const at = performance.now();
    const options = { deadlineMs: PATIENCE_MS, tryMs: PATIENCE_MS, circuit: `visit-${circuits++}` };
    const answer = await fetchOnion(client.socksPort, url, options).catch(() => undefined);
    // A second try is another visit's.
    visits.push({ at, page: answer?.attempts === 1 && answer.status === 200 ? answer.body.toString() : undefined });
  };
  const stay = async () => {
    while (isHere) {
      const one: Promise<void> = visit().finally(() => open.delete(one));
      open.add(one);
      await sleep(EVERY_MS);
    }
    await Promise.all(open);
  };
  const staying = stay();
  return {
    async sees(page, withinMs) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const found = visits.find((one) => one.page === page);
        if (found) return found.at;
        if (performance.now() > deadline) throw new Error(`the page is not served within ${withinMs / 1000} s`);
        await sleep(50);
      }
    },
    async leave() {
      isHere = false;
      await staying;
      return account(visits);
    },
  };
}

function account(visits: readonly Visit[]): Visited {
  const lost = visits.filter(({ page }) => page === undefined).map(({ at }) => at);
  const span = lost.length === 0 ? 0 : Math.max(...lost) - Math.min(...lost) + EVERY_MS;
  return { visits, failed: lost.length, secondsAway: span / 1000 };
}
