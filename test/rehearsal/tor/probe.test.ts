import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { probe } from "../../../components/vm/status/probe";
import { withOnionStage } from "./with-onion-stage";

const missing = ["tor", "tor-gencert", "curl"].filter((program) => findOnPath(program) === undefined);
const skipped = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

describe.skipIf(missing.length > 0)(`an address is fetched over Tor${skipped}`, () => {
  const opened = withOnionStage();

  it("by a tor of its own, which leaves nothing behind: one answers, one does not", async () => {
    const { directory, stage } = opened();
    await stage.service("machine");
    const nobody = `${"a".repeat(56)}.onion`;
    const own = fs.mkdtempSync(path.join(directory, "t"));
    vi.stubEnv("TMPDIR", own);
    const [found, absent] = await probe([stage.hostname, nobody], argumentsOf(stage.network.onionServiceTorrc()));
    vi.unstubAllEnvs();
    expect(found).toEqual({ hostname: stage.hostname, seconds: expect.any(Number) });
    expect(absent?.problem).toMatch(new RegExp(`^${nobody} does not answer over Tor \\(curl ends with \\d+ after`));
    expect(fs.readdirSync(own)).toEqual([]);
  }, 240_000);
});

/** The lines of a torrc, as tor takes them on its command line. */
function argumentsOf(torrc: readonly string[]): string[] {
  return torrc.flatMap((line) => {
    const [name = "", ...value] = line.split(" ");
    return [`--${name}`, value.join(" ")];
  });
}
