import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`what the console shows (skipped without ${missing.join(", ")})`, () => {
  let directory: string;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "say-change-"));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  async function say(line: string, subject = "tor"): Promise<string> {
    const { code, stderr } = await runGuestScript("say-change", [path.join(directory, "state", subject), line]);
    expect(code).toBe(0);
    return stderr;
  }

  it("is a line once, until it is another one; the journal has each", async () => {
    expect(await say("down")).toBe("<2>sealed-onion: down\n");
    expect(await say("down")).toBe("<6>sealed-onion: down\n");
    expect(await say("up")).toBe("<2>sealed-onion: up\n");
    expect(await say("down")).toBe("<2>sealed-onion: down\n");
    expect(await say("down", "other")).toBe("<2>sealed-onion: down\n");
  });

  it.each([
    [
      "(28) Operation timed out after 8001 milliseconds with 0 bytes",
      "(28) Operation timed out after 8013 milliseconds with 0 bytes",
    ],
    ["(7) Failed to connect to host port 80 after 0 ms: no", "(7) Failed to connect to host port 80 after 12 ms: no"],
    ["AADSTS1: gone. Trace ID: 1 Timestamp: 1", "AADSTS1: gone. Trace ID: 2 Timestamp: 2"],
  ])("takes for the same what differs in a duration or in a request's number: %s", async (first, second) => {
    expect(await say(first)).toMatch(/^<2>/);
    expect(await say(second)).toBe(`<6>sealed-onion: ${second}\n`);
  });

  it("is one line of bounded length, whatever was answered", async () => {
    expect(await say(`a\n\tb\u0001c ${"x".repeat(2_000)}`)).toMatch(/^<2>sealed-onion: a b c x{594}\n$/);
  });
});
