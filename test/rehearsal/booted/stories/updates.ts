import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { refusal } from "../../engine/refusal";
import type { Stage } from "../stage";
import { sendVisitor, type Visited } from "../visitor";
import { address } from "./access";
import { property, SITE, serving } from "./services";
import type { Story } from "./story";

const MOST_BYTES = 1 << 20;
/** On a machine with nothing else to do it is 20 and 5; these are for one that has. */
const MOST_SECONDS = 60;
const MOST_SECONDS_AWAY = 15;

/** What an update was like, from `up` on. */
export interface Update {
  readonly visited: Visited;
  /** Until the page was served. */
  readonly secondsToServed: number;
  /** Until `up` ended. */
  readonly seconds: number;
  /** What the workstation sent to the storage account. */
  readonly bytes: number;
}

/** A file of the guest, as a commit would have it; without a text it is not there. */
export function write({ folders }: Stage, file: string, text: string | undefined): void {
  const place = path.join(folders.program, "nix", file);
  if (text === undefined) fs.rmSync(place, { force: true });
  else fs.writeFileSync(place, text);
}

export const pageFile = "site/index.html";
const checkout = process.cwd(); // while an engine runs in this process, the working folder is the program's
export const firstPage = (): string => fs.readFileSync(path.join(checkout, "nix", pageFile), "utf8");
let pages = 0;
export const nextPage = (): string => `<!doctype html><title>page ${pages++}</title>\n`;

/** Bytes that the workstation sent to the storage account. @param since how many requests there were before */
export function sentSince({ azure }: Stage, since: number): number {
  return azure.requests.entries
    .slice(since)
    .filter(({ host, method }) => host.includes(".blob.") && method === "PUT")
    .filter(({ path: name }) => !/^\/(status|logs)\//.test(name)) // the machine's own
    .reduce((sum, { requestBytes = 0 }) => sum + requestBytes, 0);
}

/** `pulumi up` while somebody fetches the page. @param page what is served in the end */
export async function update(stage: Stage, page: string): Promise<Update> {
  const { engine, tor, azure } = stage;
  const visitor = sendVisitor(tor, `http://${address(stage)}/`);
  const sent = azure.requests.entries.length;
  const started = performance.now();
  try {
    const [served] = await Promise.all([visitor.sees(page, 120_000), engine.up()]);
    const seconds = (performance.now() - started) / 1000;
    const bytes = sentSince(stage, sent);
    await sleep(1_000); // what the update has done to it is seen
    return { visited: await visitor.leave(), secondsToServed: (served - started) / 1000, seconds, bytes };
  } catch (error) {
    await visitor.leave();
    throw error;
  }
}

/** An older commit: what the story has changed is as it was. */
export async function back(stage: Stage): Promise<void> {
  write(stage, pageFile, firstPage());
  for (const file of ["extra-torrc", "extra-kernel", "extra-server"]) write(stage, file, undefined);
  await stage.engine.up();
}

/** A story whose changes are taken back in the end, also where it fails: the next one finds the first page. */
export function withBack(tell: Story["tell"]): Story["tell"] {
  return async (stage) => {
    try {
      await tell(stage);
    } finally {
      await back(stage);
    }
  };
}

const units = ["tor.service", SITE];
const runs = (stage: Stage) => Promise.all(units.map((unit) => property(stage, unit, "InvocationID")));

export const changedPage: Story = {
  name: "another page, in place: nothing restarts, no fetch is lost",
  async tell(stage) {
    await servesPage(stage, firstPage()); // the story before has restarted tor, and clients have to learn of it
    const before = await runs(stage);
    const page = nextPage();
    write(stage, pageFile, page);
    const { bytes, secondsToServed, visited } = await update(stage, page);
    if (visited.failed > 0) throw new Error(`${visited.failed} of ${visited.visits.length} fetches failed`);
    if (bytes > MOST_BYTES) throw new Error(`${bytes} bytes were sent`);
    if (secondsToServed > MOST_SECONDS) throw new Error(`it was served after ${secondsToServed} s`);
    if (`${await runs(stage)}` !== `${before}`) throw new Error("tor or the site's server was restarted");
  },
};

export const pageBefore: Story = {
  name: "the commit before: the page before, no fetch is lost, and an up with no change does nothing",
  isLong: true,
  async tell(stage) {
    write(stage, pageFile, firstPage());
    const { visited } = await update(stage, firstPage());
    if (visited.failed > 0) throw new Error(`${visited.failed} of ${visited.visits.length} fetches failed`);
    const again = await stage.engine.up();
    const changed = again.operations.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn}`);
    if (changed.length > 0) throw new Error(`an unchanged up does ${changed.join(", ")}`);
  },
};

export const changedTor: Story = {
  name: "another setting of tor, in place: it restarts, and the site is away for seconds",
  isLong: true,
  tell: withBack(async (stage) => {
    await servesPage(stage, firstPage());
    const [tor] = await runs(stage);
    const page = nextPage();
    write(stage, pageFile, page);
    write(stage, "extra-torrc", "HeartbeatPeriod 12 hours\n");
    const { visited } = await update(stage, page);
    if (visited.secondsAway > MOST_SECONDS_AWAY)
      throw new Error(`it was away for ${visited.secondsAway} s: ${visited.failed} fetches failed`);
    if ((await runs(stage))[0] === tor) throw new Error("tor was not restarted");
  }),
};

/** A change that leaves the machine without what it serves with. @param why what up says */
function goesBack(name: string, [file, text]: readonly [string, string], why: RegExp): Story {
  return {
    name: `${name}: the machine goes back by itself, and up says why`,
    isLong: true,
    tell: withBack(async (stage) => {
      write(stage, pageFile, nextPage());
      write(stage, file, text);
      const log = await refusal(stage);
      if (!why.test(log)) throw new Error(`up says: ${log.slice(-1500)}`);
      await serving(stage, 40_000);
      await servesPage(stage, firstPage());
    }),
  };
}

export const torless = goesBack(
  "a system whose tor cannot start",
  ["extra-torrc", "NoSuchSetting 1\n"],
  /went back from system \d+: tor does not run/,
);

export const serverless = goesBack(
  "a system whose site server cannot start",
  ["extra-server", "WorkingDirectory=/nowhere\n"],
  /went back from system \d+: service site: nothing listens at 127\.0\.0\.1:8440 \(onion-site-site\.service: exit-code 200\)/,
);

/** A client with what it knows of before: its first tries may fail. */
export async function servesPage(stage: Stage, page: string): Promise<void> {
  const visitor = sendVisitor(stage.tor, `http://${address(stage)}/`);
  try {
    await visitor.sees(page, 60_000);
  } finally {
    await visitor.leave();
  }
}
