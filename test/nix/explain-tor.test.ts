import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatPublicKeyFile, formatSecretKeyFile, generateOnionKey } from "../../components/onion/keys";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";
import { startOfflineTor } from "./offline-tor";

const missing = ["bash", "sed", "tail"].filter((program) => !findOnPath(program));
const withTor = it.skipIf(!findOnPath("tor"));

describe.skipIf(missing.length > 0)(`tor's end on the console (skipped without ${missing.join(", ")})`, () => {
  let directory: string;
  let folder: string;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "explain-tor-"));
    folder = path.join(directory, "hs");
    fs.mkdirSync(folder, { mode: 0o700 });
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  /** What the script says after a start of tor whose journal is the given text. */
  async function explanation(journal: string, result = "exit-code"): Promise<string> {
    const file = path.join(directory, "journal");
    fs.writeFileSync(file, journal);
    const program = `#!/bin/sh\n[ "$1" = --sync ] || { [ "$4" = _SYSTEMD_INVOCATION_ID=1 ] && cat '${file}'; }\n`;
    fs.writeFileSync(path.join(directory, "journalctl"), program, { mode: 0o755 });
    const environment = {
      PATH: `${directory}:${process.env.PATH}`,
      SERVICE_RESULT: result,
      INVOCATION_ID: "1",
      SEALED_ONION_STATE: path.join(directory, "state"),
    };
    const { code, stderr } = await runGuestScript("explain-tor", [], environment);
    expect(code).toBe(0);
    return stderr;
  }

  /** The folder as the guest lays it out, with the keys of these. */
  function placeKeys(secret: ReturnType<typeof generateOnionKey>, declared: ReturnType<typeof generateOnionKey>): void {
    fs.writeFileSync(path.join(folder, "hs_ed25519_secret_key"), formatSecretKeyFile(secret), { mode: 0o600 });
    fs.writeFileSync(path.join(folder, "hs_ed25519_public_key"), formatPublicKeyFile(declared), { mode: 0o600 });
  }

  withTor("names a key that belongs to another hostname, from real tor's words (skipped without tor)", async () => {
    placeKeys(generateOnionKey(), generateOnionKey());
    const { serves, said } = await startOfflineTor(directory, folder);
    expect(serves).toBe(false);
    const files = `${folder}/hs_ed25519_public_key does not match ${folder}/hs_ed25519_secret_key`;
    expect(await explanation(said)).toBe(
      `<2>sealed-onion: tor stays down: ${files}: the sealed key is not the one of the declared hostname: seal the right key, or correct the hostname\n`,
    );
  });

  withTor("repeats tor's last error otherwise (skipped without tor)", async () => {
    const key = generateOnionKey();
    placeKeys(key, key);
    const { serves, said } = await startOfflineTor(directory, folder, ["NoSuchOption 1"]);
    expect(serves).toBe(false);
    expect(await explanation(said)).toMatch(/^<2>sealed-onion: tor stays down: [^\n]+: see journalctl -u tor\n$/);
  });

  it("names systemd's reason where tor said nothing", async () => {
    expect(await explanation("", "oom-kill")).toBe(
      "<2>sealed-onion: tor stays down: oom-kill: see journalctl -u tor\n",
    );
  });

  it("says on the console once what tor repeats", async () => {
    expect(await explanation("[err] no room\n")).toMatch(/^<2>/);
    expect(await explanation("[err] no room\n")).toMatch(/^<6>sealed-onion: tor stays down: no room/);
    expect(await explanation("[err] no file\n")).toMatch(/^<2>/);
  });

  it("says nothing twice, and nothing after a good end", async () => {
    expect(await explanation("sealed-onion: onion service site stays down: its key has no bytes\n")).toBe("");
    expect(await explanation("[err] anything\n", "success")).toBe("");
  });

  it("copes with a journal of any length", async () => {
    const line = "Nov 22 09:00:00.000 [warn] public does not match secret! Again.\n";
    expect(await explanation(line.repeat(50_000))).toContain("public does not match secret: the sealed key is not");
  });
});
