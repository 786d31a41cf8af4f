import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const run = promisify(execFile);

interface Finding {
  name: string;
  state: string;
  found: string;
  type?: string;
}

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "doctor-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A program that prints one line: what doctor asks of a tool is its version. */
function install(name: string, prints: string): void {
  fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho '${prints}'\n`, { mode: 0o755 });
}

async function examine(environment: Record<string, string> = {}) {
  const env = { PATH: folder, HOME: folder, ...environment };
  const result = await run(process.execPath, ["components/start/run.mjs", "doctor", "--json"], { env }).catch(
    (error: { code: number; stdout: string }) => error,
  );
  const findings = JSON.parse(result.stdout) as Finding[];
  return {
    code: "code" in result ? result.code : 0,
    finding: (name: string) => findings.find((finding) => finding.name === name),
  };
}

describe("doctor", () => {
  it("names what is missing and what to type", async () => {
    const { code, finding } = await examine();
    expect(code).toBe(1);
    expect(finding("sops")).toMatchObject({ state: "missing", type: expect.stringContaining("brew install sops") });
    expect(finding("Azure login")).toMatchObject({ state: "missing", type: expect.stringContaining("az login") });
    expect(finding("nix")).toMatchObject({ state: "missing", type: expect.stringContaining("image.vhd") });
    expect(finding("tor")).toMatchObject({ state: "optional" });
  });

  it("is content with all tools and a login by OIDC", async () => {
    install("pulumi", "v3.270.0");
    install("sops", "sops 3.11.0");
    install("nix", "nix (Nix) 2.28.1");
    const { code, finding } = await examine({ ARM_USE_OIDC: "true" });
    expect(code).toBe(0);
    expect(finding("sops")).toEqual({ name: "sops", state: "ok", found: "sops 3.11.0" });
  });

  it("says that a Nix is too old for the pinned nixpkgs", async () => {
    install("nix", "nix (Nix) 2.8.0");
    expect((await examine()).finding("nix")).toMatchObject({ state: "missing", found: "nix (Nix) 2.8.0" });
  });

  it("names the subscription that az is logged in to", async () => {
    install("az", "Playground");
    expect((await examine()).finding("Azure login")).toMatchObject({
      state: "ok",
      found: "az, subscription Playground",
    });
  });
});
