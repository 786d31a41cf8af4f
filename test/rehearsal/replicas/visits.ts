import { setTimeout as sleep } from "node:timers/promises";
import { fetchOnion } from "../tor/fetch-onion";
import type { TorClient } from "../tor/network";

/** What came of fetching a page many times. */
export interface Visits {
  readonly fetches: number;
  readonly failed: number;
  /** Fetches by what answered. */
  readonly spread: Readonly<Record<string, number>>;
  /** Why they failed, a line each. */
  readonly reasons: readonly string[];
  /** Each one's, in milliseconds, those that failed too. */
  readonly times: readonly number[];
}

/** How long Tor Browser waits for a connection (`network.http.connection-timeout`) before it shows an error. */
const PATIENCE_MS = 90_000;
let circuits = 0;

/** Fetches the page so often, each time by a circuit of its own, `together` at a time. */
export async function visit(client: TorClient, hostname: string, fetches: number, together = 4): Promise<Visits> {
  let left = fetches;
  return collect(together, () => (left-- > 0 ? fetchOnce(client, hostname) : undefined));
}

/**
 * Fetches while `work` is done, and until it is done at least so often, one after the other by each client.
 * @param isForgetful a client that drops what it knows of the address before a fetch, as often as tor lets it
 */
export async function visitDuring(
  clients: readonly { readonly client: TorClient; readonly isForgetful: boolean }[],
  hostname: string,
  least: number,
  work: () => Promise<void>,
): Promise<Visits> {
  let isDone = false;
  let fetched = 0;
  const working = work().finally(() => {
    isDone = true;
  });
  working.catch(() => {}); // its failure is told below, once the visits have ended
  const visits = await Promise.all(
    clients.map(({ client, isForgetful }) =>
      collect(1, () => {
        if (isDone && fetched >= least) return undefined;
        fetched++;
        return fetchAfter(client, hostname, isForgetful);
      }),
    ),
  );
  await working;
  return together(visits);
}

/** tor puts off what comes sooner than ten seconds after the last, and would forget in the midst of a fetch. */
const FORGET_MS = 10_500;
const forgotten = new WeakMap<TorClient, number>();

/** Drops what a client knows of the address. */
export async function forget(client: TorClient): Promise<void> {
  const since = performance.now() - (forgotten.get(client) ?? 0);
  await sleep(Math.max(0, FORGET_MS - since));
  forgotten.set(client, performance.now());
  await client.process.control.ask("SIGNAL NEWNYM");
}

function canForget(client: TorClient): boolean {
  return performance.now() - (forgotten.get(client) ?? 0) >= FORGET_MS;
}

async function fetchAfter(client: TorClient, hostname: string, isForgetful: boolean): Promise<Fetched> {
  if (isForgetful && canForget(client)) await forget(client);
  await sleep(300);
  return fetchOnce(client, hostname);
}

interface Fetched {
  readonly answer: string | undefined;
  readonly reason?: string;
  readonly milliseconds: number;
}

async function fetchOnce({ socksPort }: TorClient, hostname: string): Promise<Fetched> {
  const start = performance.now();
  const options = { deadlineMs: PATIENCE_MS, tryMs: PATIENCE_MS, tries: 1, circuit: `circuit-${circuits++}` };
  const spent = () => performance.now() - start;
  try {
    const { body } = await fetchOnion(socksPort, `http://${hostname}/`, options);
    return { answer: body.toString(), milliseconds: spent() };
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const reason = `${cause instanceof Error ? cause.message : error}, after ${(spent() / 1000).toFixed(1)} s`;
    return { answer: undefined, reason, milliseconds: spent() };
  }
}

async function collect(many: number, next: () => Promise<Fetched> | undefined): Promise<Visits> {
  const all: Fetched[] = [];
  const worker = async () => {
    for (let one = next(); one !== undefined; one = next()) all.push(await one);
  };
  await Promise.all(Array.from({ length: many }, worker));
  const spread: Record<string, number> = {};
  for (const { answer } of all) if (answer !== undefined) spread[answer] = (spread[answer] ?? 0) + 1;
  return {
    fetches: all.length,
    failed: all.filter(({ answer }) => answer === undefined).length,
    spread,
    reasons: all.flatMap(({ reason }) => reason ?? []),
    times: all.map(({ milliseconds }) => milliseconds),
  };
}

/** Several of them as one. */
export function together(visits: readonly Visits[]): Visits {
  const spread: Record<string, number> = {};
  for (const [name, count] of visits.flatMap((one) => Object.entries(one.spread)))
    spread[name] = (spread[name] ?? 0) + count;
  return {
    fetches: visits.reduce((sum, one) => sum + one.fetches, 0),
    failed: visits.reduce((sum, one) => sum + one.failed, 0),
    spread,
    reasons: visits.flatMap((one) => one.reasons),
    times: visits.flatMap((one) => one.times),
  };
}
