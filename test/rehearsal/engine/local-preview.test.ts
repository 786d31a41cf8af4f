import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { Steps } from "../steps";
import { previewLocally } from "./local-preview";
import { skippedFor } from "./tools";

const golden = fs.readFileSync(path.join("test", "program", "golden", "preview-local.md"), "utf8");

async function expectGolden(engine: "in-process" | "pulumi"): Promise<void> {
  const cleanup = new Cleanup();
  try {
    expect(await previewLocally(cleanup, new Steps(), engine)).toBe(golden);
  } finally {
    await cleanup.run();
  }
}

describe("the comment that a pull request would get, from Azure on loopback", () => {
  const alone = skippedFor("sops");
  it.skipIf(alone)(`is the golden text, by the engine in process${alone}`, () => expectGolden("in-process"), 300_000);
  const both = skippedFor("sops", "pulumi");
  it.skipIf(both)(`is the golden text, by Pulumi's own engine${both}`, () => expectGolden("pulumi"), 300_000);
});
