import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { deployBooted } from "../rehearsal/booted/deployment";
import { bootAgain, type Stage } from "../rehearsal/booted/stage";
import { address } from "../rehearsal/booted/stories/access";
import { nextPage, pageFile, sentSince, update, write } from "../rehearsal/booted/stories/updates";
import { sendVisitor } from "../rehearsal/booted/visitor";
import type { Cleanup } from "../rehearsal/cleanup";
import { Steps } from "../rehearsal/steps";
import { runBootedBench } from "./booted-bench";
import { replaceWithVisits } from "./replaced-machines";

/**
 * Bytes, seconds and lost fetches of one changed page, secret and package: in place, and by an image and a machine of it.
 * In one run, with real tor, Nix, systemd and Azure on loopback; the image is the rehearsal's (448 MiB). A new page goes with
 * each change, and the seconds are those from `up` until it is served. By image the machine before is switched off first,
 * as one can boot here at a time; how many fetches the order of a real change loses is measured beside it.
 *
 *   npm run bench:update [-- --json]
 */
const PACKAGE_BYTES = 4 << 20;

type Change = "page" | "secret" | "package";

const changes: Readonly<Record<Change, (stage: Stage) => void>> = {
  page: () => {},
  secret: ({ folders, plaintexts }) => {
    const token = `token-${randomBytes(24).toString("hex")}`;
    plaintexts.push({ name: "the bench's token", bytes: Buffer.from(token) });
    fs.writeFileSync(path.join(folders.sources, "token"), token);
  },
  package: (stage) => write(stage, "extra-package", randomBytes(PACKAGE_BYTES / 2).toString("hex")),
};

/** Of one change. */
interface Cost {
  /** Sent to the storage account. */
  readonly bytes: number;
  /** From `up` until the page was served. */
  readonly seconds: number;
}
/** Of one in place. */
interface CostInPlace extends Cost {
  /** Fetches that failed meanwhile. */
  readonly failed: number;
}

async function bench(cleanup: Cleanup): Promise<number> {
  const agent = JSON.stringify({ checkIn: true, hostname: true, sshKeys: true });
  const dials = { "sealed-onion:update": "inPlace", "sealed-onion:bootAgent": agent };
  const steps = new Steps();
  const replacement = await steps.run("replaced machines", () => replaceWithVisits(cleanup));
  const { deploying, stage } = await deployBooted(steps, cleanup, dials);
  await stage.machine.switchOn();
  await deploying;
  const inPlace = await each(stage, (name, page) => steps.run(`${name}, in place`, () => inPlaceOnce(stage, page)));
  await stage.engine.setConfig({ ...stage.config, "sealed-onion:update": "replace", "sealed-onion:status": "false" });
  await steps.run("from now on by image", () => stage.engine.up());
  const byImage = await each(stage, (name, page) => steps.run(`${name}, by image`, () => byImageOnce(stage, page)));
  return report(inPlace, byImage, replacement);
}

/** Each change, with another page. */
async function each<T extends Cost>(
  stage: Stage,
  measure: (name: Change, page: string) => Promise<T>,
): Promise<Record<Change, T>> {
  const one = (name: Change) => {
    const page = nextPage();
    write(stage, pageFile, page);
    changes[name](stage);
    return measure(name, page);
  };
  return { page: await one("page"), secret: await one("secret"), package: await one("package") };
}

async function inPlaceOnce(stage: Stage, page: string): Promise<CostInPlace> {
  const { bytes, secondsToServed, visited } = await update(stage, page);
  return { bytes, seconds: secondsToServed, failed: visited.failed };
}

async function byImageOnce(stage: Stage, page: string): Promise<Cost> {
  const [sent, started] = [stage.azure.requests.entries.length, performance.now()];
  await stage.engine.up();
  const bytes = sentSince(stage, sent);
  const visitor = sendVisitor(stage.tor, `http://${address(stage)}/`);
  try {
    await bootAgain(stage);
    const served = await visitor.sees(page, 120_000);
    return { bytes, seconds: (served - started) / 1000 };
  } finally {
    await visitor.leave();
  }
}

function report(
  inPlace: Record<Change, CostInPlace>,
  byImage: Record<Change, Cost>,
  replacement: { fetches: number; failedFetches: number },
): number {
  const seconds = (of: Cost) => Number(of.seconds.toFixed(1));
  const figures = (change: Change) => ({
    bytesInPlace: inPlace[change].bytes,
    bytesByImage: byImage[change].bytes,
    secondsInPlace: seconds(inPlace[change]),
    secondsByImage: seconds(byImage[change]),
    failedFetches: inPlace[change].failed,
  });
  const all = { page: figures("page"), secret: figures("secret"), package: figures("package"), replacement };
  for (const change of ["page", "secret", "package"] as const) {
    const { bytesByImage, bytesInPlace, failedFetches, secondsByImage, secondsInPlace } = all[change];
    const place = `in place ${bytesInPlace} bytes, ${secondsInPlace} s, ${failedFetches} fetches lost`;
    console.log(`${change}: ${place}; by image ${bytesByImage} bytes, ${secondsByImage} s`);
  }
  console.log(`replacement: ${replacement.failedFetches} of ${replacement.fetches} fetches lost`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(all));
  const { bytesInPlace, failedFetches, secondsInPlace } = all.page;
  return bytesInPlace <= 1 << 20 && secondsInPlace <= 20 && failedFetches === 0 ? 0 : 1;
}

runBootedBench("test/bench/update.ts", bench);
