import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { formatSecretKeyFile, generateOnionKey } from "../../../../components/onion/keys";
import { findOnPath } from "../../../../components/process/find-program";
import type { ToolName } from "../../../../components/process/tools";
import { openSealed, type Run, type Sealing, startSealing } from "../sealing";

const lacking = (tools: ToolName[]) => tools.filter((tool) => !findOnPath(tool));
const reason = (missing: string[]) => (missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "");
const noSops = lacking(["sops"]);
const noPass = lacking(["sops", "pass", "gpg"]);
const passphrase = "a passphrase for the key";
const plaintext = "from the store\nlogin: somebody\n";

let sealing: Sealing;
let folder: string;

beforeAll(async () => {
  sealing = await startSealing();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "sources-"));
});
afterAll(async () => {
  await sealing.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const open = async (name: string) => (await openSealed(sealing, `nix/stacks/dev/${name}.sops.json`)).toString();

describe.skipIf(noSops.length > 0)(`a variable as source${reason(noSops)}`, () => {
  it("is sealed, and sops does not get it", async () => {
    const mark = path.join(folder, "environment");
    const real = findOnPath("sops");
    const bin = fs.mkdtempSync(path.join(folder, "bin-"));
    fs.writeFileSync(path.join(bin, "sops"), `#!/bin/sh\nenv > ${mark}\nexec ${real} "$@"\n`, { mode: 0o755 });
    const environment = { API_TOKEN: "tok-en", PATH: `${bin}:${process.env.PATH}` };
    const run = await sealing.run({ name: "variable", source: { env: "API_TOKEN" } }, { environment });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(await open("variable")).toBe("tok-en");
    expect(fs.readFileSync(mark, "utf8")).not.toContain("tok-en");
  });

  it.each([
    [undefined, "source env:API_TOKEN is not set: export API_TOKEN"],
    ["", "source env:API_TOKEN is empty: export API_TOKEN with the secret"],
  ])("that is %j is refused by name", async (value, message) => {
    const run = await sealing.run(
      { name: "no-variable", source: { env: "API_TOKEN" } },
      { environment: { API_TOKEN: value } },
    );
    expect(run).toMatchObject({ code: 1, stderr: `no-variable: ${message}\n` });
  });
});

describe.skipIf(noSops.length > 0)(`a command as source${reason(noSops)}`, () => {
  it("is sealed byte for byte, without a shell", async () => {
    const run = await sealing.run({ name: "command", source: { command: ["printf", "%s\\n", "$HOME; a b"] } });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(await open("command")).toBe("$HOME; a b\n");
  });

  it.each([
    [
      ["no-such-tool"],
      "source command:no-such-tool is not on PATH: install no-such-tool, or change the secret's source",
    ],
    [["true"], "source command:true prints nothing: run it by hand to see why"],
    [["sh", "-c", "echo hunter2; echo hunter2 >&2; exit 3"], "source command:sh ended with code 3: run it by hand"],
    [["sh", "-c", "echo hunter2; kill -9 $$"], "source command:sh was ended by SIGKILL: run it by hand"],
    [["yes", "hunter2"], "source command:yes was ended by SIGKILL: run it by hand"],
  ])("that fails (%j) is named, and no byte of it shown", async (command, message) => {
    const run = await sealing.run({ name: "failing", source: { command } });
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(`failing: ${message}`);
    expect(run.stderr).not.toContain("hunter2");
    expect(fs.existsSync(path.join(sealing.folder, "nix/stacks/dev/failing.sops.json"))).toBe(false);
  });
});

describe.skipIf(noSops.length > 0)(`a source that several secrets share${reason(noSops)}`, () => {
  let count: string;
  beforeEach(() => {
    count = path.join(fs.mkdtempSync(path.join(folder, "count-")), "times");
  });
  const timesRead = () => fs.readFileSync(count, "utf8").length;

  /** Seals as `pulumi up` does: one process a secret, all at once, of one parent. */
  function sealTogether(names: string[], command: string[]): Promise<Run[]> {
    const environment = { XDG_RUNTIME_DIR: fs.mkdtempSync(path.join(folder, "run-")) };
    return Promise.all(names.map((name) => sealing.run({ name, source: { command } }, { environment })));
  }

  it("is read once, and handed on in memory only", async () => {
    const names = ["first", "second", "third"];
    const runs = await sealTogether(names, ["sh", "-c", `printf x >> ${count}; sleep 2; echo shared-plaintext`]);
    for (const run of runs) expect(run).toMatchObject({ code: 0, stderr: "" });
    for (const name of names) expect(await open(name)).toBe("shared-plaintext\n");
    expect(timesRead()).toBe(1);
  });

  it("is asked once when it fails, and each secret says so", async () => {
    const runs = await sealTogether(["one", "two"], ["sh", "-c", `printf x >> ${count}; sleep 2; exit 1`]);
    for (const run of runs) {
      expect(run.code).toBe(1);
      expect(run.stderr).toContain("source command:sh ended with code 1");
    }
    expect(timesRead()).toBe(1);
  });

  it("is read by the next one if the process that was reading it is killed", async () => {
    const environment = { XDG_RUNTIME_DIR: fs.mkdtempSync(path.join(folder, "run-")) };
    const command = ["sh", "-c", `printf x >> ${count}; sleep 2; echo shared-plaintext`];
    let pid = 0;
    const killed = sealing.run(
      { name: "killed", source: { command } },
      {
        environment,
        onStart: (id) => {
          pid = id;
        },
      },
    );
    const deadline = Date.now() + 20_000;
    while (!fs.existsSync(count) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    const other = sealing.run({ name: "other", source: { command } }, { environment });
    process.kill(pid, "SIGKILL");
    await killed;
    expect(await other).toMatchObject({ code: 0, stderr: "" });
    expect(await open("other")).toBe("shared-plaintext\n");
    expect(timesRead()).toBe(2);
  });

  it("is not shared through a folder that others can enter", async () => {
    const XDG_RUNTIME_DIR = fs.mkdtempSync(path.join(folder, "run-"));
    const shared = path.join(XDG_RUNTIME_DIR, `sealed-onion-${process.getuid?.()}`);
    fs.mkdirSync(shared);
    fs.chmodSync(shared, 0o755);
    const run = await sealing.run(
      { name: "unsafe", source: { command: ["echo", "x"] } },
      { environment: { XDG_RUNTIME_DIR } },
    );
    expect(run.stderr).toContain(`folder ${shared} must be yours alone: chmod 700`);
  });
});

describe.skipIf(noPass.length > 0)(`a password store's entry as source${reason(noPass)}`, () => {
  let home: string;
  let environment: NodeJS.ProcessEnv;
  const asked = () => path.join(home, "asked");

  beforeAll(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), "gpg-")); // short: gpg's agent has a socket in it
    environment = { GNUPGHOME: home, PASSWORD_STORE_DIR: path.join(home, "store"), GPG_TTY: "/dev/pts/none" };
    fs.writeFileSync(path.join(home, "pinentry"), pinentry(asked()), { mode: 0o755 });
    fs.writeFileSync(
      path.join(home, "gpg-agent.conf"),
      `pinentry-program ${path.join(home, "pinentry")}\nallow-loopback-pinentry\n`,
    );
    const key = ["--quick-generate-key", "somebody@example.org", "default", "default", "never"];
    gpg(["--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase, ...key]);
    pass(["init", "somebody@example.org"]);
    pass(["insert", "--multiline", "web/token"], plaintext);
    forgetPassphrase();
  });
  afterAll(() => {
    gpgconf(["--kill", "all"]);
    fs.rmSync(home, { recursive: true, force: true });
  });

  const options = () => ({ env: { PATH: process.env.PATH, HOME: home, ...environment }, stdio: "pipe" as const });
  const gpg = (argv: string[]) => execFileSync("gpg", ["--quiet", ...argv], options());
  const pass = (argv: string[], input = "") => execFileSync("pass", argv, { ...options(), input });
  const gpgconf = (argv: string[]) => execFileSync("gpgconf", ["--homedir", home, ...argv], options());
  const forgetPassphrase = () => gpgconf(["--reload", "gpg-agent"]);
  const sealEntry = (entry: string, name = "entry") => sealing.run({ name, source: { pass: entry } }, { environment });

  it("is sealed byte for byte, gpg's agent asking for the passphrase on the user's terminal", async () => {
    const run = await sealEntry("web/token");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(await open("entry")).toBe(plaintext);
    expect(fs.readFileSync(asked(), "utf8")).toContain("OPTION ttyname=/dev/pts/none");
  });

  it("that holds an onion key keeps its bytes", async () => {
    const key = formatSecretKeyFile(generateOnionKey());
    execFileSync("pass", ["insert", "--multiline", "onion"], { ...options(), input: key });
    const run = await sealing.run({ name: "from-pass", source: { pass: "onion" }, kind: "onion" }, { environment });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(await openSealed(sealing, "nix/stacks/dev/from-pass.sops.json")).toEqual(key);
  });

  it("that is not there is named", async () => {
    const run = await sealEntry("web/other");
    const store = path.join(home, "store");
    expect(run.stderr).toBe(
      `entry: source pass:web/other is not in the password store ${store}: pass insert web/other\n`,
    );
  });

  it("that cannot be decrypted is named, with gpg's reason", async () => {
    forgetPassphrase();
    fs.writeFileSync(path.join(home, "refuse"), "");
    const run = await sealEntry("web/token", "refused");
    fs.rmSync(path.join(home, "refuse"));
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`source pass:web/token cannot be decrypted (${path.join(home, "store")}): `);
    expect(run.stderr).toContain(": pass show web/token must work first");
    expect(run.stderr).not.toContain("from the store");
  });

  it("needs pass", async () => {
    const bin = fs.mkdtempSync(path.join(folder, "bin-"));
    for (const program of ["sh", "cat", "sops"]) fs.symlinkSync(findOnPath(program) ?? "", path.join(bin, program));
    const run = await sealing.run(
      { name: "no-pass", source: { pass: "web/token" } },
      { environment: { ...environment, PATH: bin } },
    );
    expect(run.stderr).toContain(
      "source pass:web/token needs pass, which is not on PATH: install pass with this system's package manager",
    );
  });
});

/** A pinentry that types the passphrase, or cancels where a file `refuse` lies, and notes what it was told. */
function pinentry(notes: string): string {
  return `#!/bin/sh
echo "OK ready"
while read -r line; do
  echo "$line" >> ${notes}
  case $line in
    GETPIN) if [ -e "$(dirname ${notes})/refuse" ]; then echo "ERR 83886179 cancelled"; continue; fi
            echo "D ${passphrase}"; echo OK ;;
    BYE) echo OK; exit ;;
    *) echo OK ;;
  esac
done
`;
}
