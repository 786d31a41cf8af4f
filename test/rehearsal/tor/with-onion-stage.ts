import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type OnionStage, openOnionStage } from "./onion-stage";

/** One Tor network for all tests of a `describe`, in a folder of its own. @returns what is there once they run */
export function withOnionStage(): () => { readonly directory: string; readonly stage: OnionStage } {
  let directory: string;
  let stage: OnionStage;
  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-"));
    stage = await openOnionStage(directory);
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });
  return () => ({ directory, stage });
}
