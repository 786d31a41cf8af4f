import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";

/** Programs of the machine, as far as the search uses them: the disk is a file of zeros that `sync` writes to. */
const programs = {
  "nix-store": 'echo "$FOLDER"/store/* "$FOLDER/gone"',
  "systemd-cat": 'cat >>"$FOLDER/journal"; echo >>"$FOLDER/journal"',
  journalctl: 'if [[ "$*" == *export* ]]; then cat "$FOLDER/journal"; fi',
  sync: 'dd if="$FOLDER/var/canary" of="$FOLDER/dev/vda" bs=512 seek=2000 conv=notrunc status=none',
};
const plaintext = "a plaintext";

describe.skipIf(!findOnPath("python3"))("the VM tests' search for plaintexts (skipped without python3)", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nowhere-"));
    for (const name of ["bin", "dev", "proc/sys/vm", "run", "store/system", "var"]) {
      fs.mkdirSync(path.join(folder, name), { recursive: true });
    }
    for (const [name, script] of Object.entries(programs)) {
      fs.writeFileSync(path.join(folder, "bin", name), `#!/usr/bin/env bash\n${script}\n`, { mode: 0o755 });
    }
    fs.writeFileSync(path.join(folder, "store", "system", "unit"), "\0\0known\0");
    fs.symlinkSync("/nowhere", path.join(folder, "store", "system", "dangling"));
    fs.writeFileSync(path.join(folder, "journal"), "");
    execFileSync("truncate", ["-s", "64M", path.join(folder, "dev", "vda")]);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function search(): { found: string; code: number | null } {
    const harness = path.join("test", "checks", "nix", "nowhere-harness.py");
    const { status, stderr } = spawnSync("python3", [harness, folder, "another", plaintext], { encoding: "utf8" });
    return { code: status, found: stderr.trim().split("\n").at(-1) ?? "" };
  }

  it("finds none where there is none", () => {
    expect(search()).toEqual({ code: 0, found: "" });
  });

  it("finds one in a file of the store", () => {
    fs.writeFileSync(path.join(folder, "store", "system", "other"), `\0\0${plaintext}\0`);
    expect(search().found).toBe("AssertionError: a plaintext is in store");
  });

  it("finds one in a block of the disk", () => {
    const disk = fs.openSync(path.join(folder, "dev", "vda"), "r+");
    fs.writeSync(disk, plaintext, 50_000_000);
    fs.closeSync(disk);
    expect(search().found).toBe("AssertionError: a plaintext is in disk");
  });

  it("finds one in the journal", () => {
    fs.writeFileSync(path.join(folder, "journal"), `MESSAGE=${plaintext}\n`);
    expect(search().found).toBe("AssertionError: a plaintext is in the journal");
  });

  it("fails where there is nothing to search, or where what is known to be there is not found", () => {
    fs.rmSync(path.join(folder, "store", "system", "unit"));
    expect(search().found).toBe("AssertionError: a search of store finds nothing");
    fs.rmSync(path.join(folder, "store"), { recursive: true });
    expect(search().found).toMatch(/^AssertionError: exit code 1: test -s .*run\/store$/);
  });
});
