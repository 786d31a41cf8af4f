import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { type CalledPrograms, watchPrograms } from "./called-programs";
import { changesOf } from "./engine";
import { openStage } from "./open-stage";
import type { Stage } from "./stage";
import { skippedFor } from "./tools";

/** What `npm pack` leaves in a checkout, and Pulumi must not take for the program: a library makes nothing. */
function leavePacked(folder: string): void {
  fs.mkdirSync(path.join(folder, "dist"));
  fs.writeFileSync(path.join(folder, "dist", "index.cjs"), "");
}

function tell(engine: "in-process" | "pulumi"): void {
  const cleanup = new Cleanup();
  let programs: CalledPrograms;
  let stage: Stage;
  beforeAll(async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "so-watched-"));
    cleanup.add(() => fs.rmSync(folder, { recursive: true }));
    programs = watchPrograms(cleanup, folder);
    stage = await openStage(cleanup, process.cwd(), engine);
    leavePacked(stage.folder);
    await stage.engine.up();
  }, 240_000);
  afterAll(() => cleanup.run(), 60_000);

  it("the first one seals and uploads: what is called, is seen", () => {
    expect(programs.calls().filter((call) => call.endsWith("run.sh seal"))).toHaveLength(2);
    expect(programs.calls().filter((call) => call.endsWith("run.mjs seal"))).toEqual([]); // one helper did both
    expect(programs.calls()).toContainEqual(expect.stringMatching(/^sops .*encrypt/));
    expect(stage.azure.requests.entries).not.toEqual([]);
  });

  it("the next one has nothing to do: no command, no program, not one request", async () => {
    programs.forget();
    stage.azure.requests.clear();
    expect(changesOf(await stage.engine.up())).toEqual([]);
    expect(programs.calls()).toEqual([]);
    expect(stage.azure.requests.entries).toEqual([]);
  }, 60_000);
}

const alone = skippedFor("sops");
const both = skippedFor("sops", "pulumi");
describe.skipIf(alone)(`two updates of the engine in process${alone}`, () => tell("in-process"));
describe.skipIf(both)(`two updates of Pulumi's own engine${both}`, () => tell("pulumi"));
