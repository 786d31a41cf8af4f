import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sealing, startSealing } from "../sealing";

let sealing: Sealing;
beforeAll(async () => {
  sealing = await startSealing();
  sealing.write("token", "secret of the test");
});
afterAll(() => sealing.close());

/** A sops that says this is its version, and does this with all else. */
async function sealWith(version: string, does: string) {
  const bin = fs.mkdtempSync(path.join(sealing.folder, "bin-"));
  const sops = path.join(bin, "sops");
  fs.writeFileSync(sops, `#!/bin/sh\ncase "$*" in *--version) ${version};; *) ${does};; esac\n`, { mode: 0o755 });
  const environment = { PATH: `${bin}:${process.env.PATH}` };
  return { sops, run: await sealing.run({ name: "token", source: { file: "token" } }, { environment }) };
}

const noSuchCommand = `echo 'Error: cannot operate on non-existent file "encrypt"' >&2; exit 100`;

describe("a sops that is too old", () => {
  it.each([
    ["lacks a command", noSuchCommand],
    [
      "does not know a recipient",
      "echo 'Could not generate data key: [malformed recipient \"ssh-ed25519 A\"]' >&2; exit 1",
    ],
    ["says what nobody knows", "echo something >&2; exit 3"],
  ])("is named with its version and its path where it %s", async (_, does) => {
    const { sops, run } = await sealWith("echo 'sops 3.8.1 (latest)'", does);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(`token: cannot seal: sops 3.8.1 (${sops}) is too old: install 3.11 or later: `);
  });

  it("is said to be so by its words where it does not tell its version", async () => {
    const { run } = await sealWith("exit 1", noSuchCommand);
    expect(run.stderr).toContain("token: cannot seal: this sops is too old: install 3.11 or later");
  });

  it("does not hide a reason that is known, nor is a new one taken for it", async () => {
    const refused = "printf 'Could not generate data key: [RESPONSE 404: 404 Not Found ]' >&2; exit 1";
    expect((await sealWith("echo sops 3.8.1", refused)).run.stderr).toContain("Key Vault answers 404");
    const { run } = await sealWith("echo sops 3.11.0", "echo something >&2; exit 3");
    expect(run.stderr).toContain("sops ended with code 3, its words are not shown");
  });
});
