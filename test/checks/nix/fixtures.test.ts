import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { checkFixtures, FIXTURE_PROGRAMS, type Fixtures } from "./fixtures";

const missing = FIXTURE_PROGRAMS.filter((program) => !findOnPath(program));

/** Scripts as short as they can be: what the real ones make is seen by `npm run check:nix`. */
function fixtures(scripts: { authority?: string; sealed?: string }): Fixtures {
  return {
    authority: { path: "/nix/store/a-authority", script: scripts.authority ?? "mkdir $out" },
    sealing: { path: "/nix/store/a-azure.json", text: JSON.stringify({ vaults: {} }) },
    sealed: { script: scripts.sealed ?? "mkdir $out" },
    hostname: "none.onion",
    token: "token",
    tokenRotated: "rotated",
    clientId: "client",
    keyUrl: "https://vault.example/keys/sealing/1",
  };
}

describe.skipIf(missing.length > 0)(`the VM tests' fixtures (skipped without ${FIXTURE_PROGRAMS.join(", ")})`, () => {
  let folder: string;
  let bundle: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "fixtures-"));
    bundle = path.join(folder, "azure.cjs");
    fs.writeFileSync(bundle, "console.error('no Azure here'); process.exit(1);");
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it("are told wrong where a script has a mistake in its syntax", async () => {
    const [problem] = await checkFixtures(fixtures({ sealed: "true\n | head -c 60" }), bundle);
    expect(problem).toMatch(/^the fixtures cannot be made: exit code 2: .*syntax error/);
  });

  it("are told wrong where any program of a pipe fails", async () => {
    const [problem] = await checkFixtures(fixtures({ authority: "false | true" }), bundle);
    expect(problem).toMatch(/^the fixtures cannot be made: exit code 1/);
  });

  it("are told wrong, and not waited for, where their Azure ends", async () => {
    const [problem] = await checkFixtures(fixtures({}), bundle);
    expect(problem).toMatch(/no Azure here/);
  });
});
