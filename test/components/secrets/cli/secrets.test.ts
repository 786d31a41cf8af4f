import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findOnPath } from "../../../../components/process/find-program";
import type { SecretView } from "../../../../components/secrets/cli/list";
import { openSealed, type Run, type Sealing, startSealing } from "../sealing";

const noSops = !findOnPath("sops");
const why = noSops ? " (skipped: needs sops on PATH)" : "";
let sealing: Sealing;

const sealedFile = (name: string, stack = "dev") => `nix/stacks/${stack}/${name}.sops.json`;
const open = async (name: string, stack?: string) => (await openSealed(sealing, sealedFile(name, stack))).toString();

function configure(secrets: Record<string, unknown>, stack = "dev"): void {
  const config = { "sealed-onion:secrets": secrets };
  fs.writeFileSync(path.join(sealing.folder, `Pulumi.${stack}.yaml`), stringify({ config }));
}

function secrets(argv: string[], environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  return sealing.start("secrets", argv, { environment });
}

async function views(argv: string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<SecretView[]> {
  const run = await secrets([...argv, "--json"], environment);
  expect(run.stderr).toBe("");
  return JSON.parse(run.stdout) as SecretView[];
}

/** An editor that is a shell program: the file is `$1`. */
function editor(program: string): NodeJS.ProcessEnv {
  const file = path.join(sealing.folder, "editor");
  fs.writeFileSync(file, `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  return { EDITOR: file };
}

beforeAll(async () => {
  sealing = await startSealing();
  sealing.write("token", "old value\n");
  configure({
    "onion-key": { source: { onion: {} } },
    token: { source: { file: "token" } },
    command: { source: { command: ["echo", "from a command"] } },
    later: { source: { env: "LATER" } },
  });
  const command = { source: { command: ["echo", "from a command"] } };
  if (noSops) return;
  await sealing.run({ name: "onion-key", fingerprint: "onion:#1" });
  await sealing.run({ name: "token", source: { file: "token" }, fingerprint: "file:1" });
  await sealing.run({ name: "command", ...command, generation: 2 });
});
afterAll(() => sealing.close());

describe.skipIf(noSops)(`npm run secrets${why}`, () => {
  it("shows every secret, its recipients, its key, and whether it opens, but none of them", async () => {
    const all = await views();
    expect(all.map(({ name, source, state, sourceIs, opens }) => ({ name, source, state, sourceIs, opens }))).toEqual([
      { name: "command", source: "command echo", state: "sealed", sourceIs: "different", opens: true },
      { name: "later", source: "env LATER", state: "not sealed", sourceIs: "unknown", opens: undefined },
      { name: "onion-key", source: "onion", state: "sealed", sourceIs: "same", opens: true },
      { name: "token", source: "file token", state: "sealed", sourceIs: "same", opens: true },
    ]);
    expect(all[3]).toMatchObject({
      stack: "dev",
      recipients: { vault: true, age: [], pgp: [] },
      keyUrl: sealing.keyUrl,
      currentKey: true,
      sealedAt: sealing.record("token").sealedAt,
    });
    expect(all[2]?.hostname).toBe(sealing.record("onion-key").onion?.hostname);
    expect(JSON.stringify(all)).not.toContain("old value");
  });

  it("shows a table, with the reason why a secret does not open", async () => {
    const run = await secrets([], { AZURE_CLIENT_SECRET: "wrong" });
    const version = sealing.keyUrl.split("/").at(-1)?.slice(0, 8);
    expect(run.stdout).toMatch(/^NAME +SOURCE +STATE +FOR +KEY +SEALED +SOURCE IS +OPENS$/m);
    expect(run.stdout).toMatch(
      new RegExp(
        `^token +file token +sealed +vault only +${version} +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d +unknown +no$`,
        "m",
      ),
    );
    expect(run.stdout).toContain(
      "command, onion-key, token: cannot open: Entra refuses AZURE_CLIENT_SECRET: AADSTS7000215",
    );
  });

  it("asks no vault with --offline", async () => {
    sealing.azure.requests.clear();
    const all = await views(["--offline"]);
    expect(all.every(({ opens }) => opens === undefined)).toBe(true);
    expect(sealing.azure.requests.entries).toHaveLength(0);
  });

  it("sees a source that changed, and one that is gone", async () => {
    sealing.write("token", "another value\n");
    expect((await views()).find(({ name }) => name === "token")?.sourceIs).toBe("different");
    fs.rmSync(path.join(sealing.folder, "token"));
    expect((await views()).find(({ name }) => name === "token")?.sourceIs).toBe("absent");
    sealing.write("token", "old value\n");
  });

  it("sees what is damaged, missing or no longer declared", async () => {
    for (const name of ["torn", "lost", "extra"]) {
      await sealing.run({ stack: "odd", name, source: { file: "token" } });
    }
    configure({ torn: { source: { file: "token" } }, lost: { source: { file: "token" } } }, "odd");
    sealing.write(sealedFile("torn", "odd"), "{");
    fs.rmSync(path.join(sealing.folder, sealedFile("lost", "odd")));
    const states = (await views(["--stack", "odd"])).map(({ name, state }) => [name, state]);
    expect(states).toEqual([
      ["extra", "undeclared"],
      ["lost", "missing"],
      ["torn", "damaged"],
    ]);
    fs.rmSync(path.join(sealing.folder, "nix/stacks/odd"), { recursive: true });
    fs.rmSync(path.join(sealing.folder, "Pulumi.odd.yaml"));
  });
});

describe.skipIf(noSops)(`npm run secrets -- show${why}`, () => {
  it("prints nothing into a pipe without --force", async () => {
    const run = await secrets(["show", "token"]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toBe(
      "show prints token in clear, to a terminal only: add --force to print it into a pipe or a file\n",
    );
    expect((await secrets(["show", "token", "--force"])).stdout).toBe("old value\n");
  });

  it.skipIf(!findOnPath("script"))("prints to a terminal, without its control characters (needs script)", async () => {
    const terminal = async (name: string) => {
      const node = `${process.execPath} components/start/run.mjs secrets show ${name}`;
      const run = await sealing.startRaw("script", ["-qec", node, "/dev/null"]);
      return run.stdout.replaceAll("\r\n", "\n");
    };
    expect(await terminal("token")).toBe("old value\n");
    const key = await terminal("onion-key");
    expect(key).toContain("not plain text, in base64:\n");
    expect(Buffer.from(key.split("\n")[1] ?? "", "base64").toString()).toContain("== ed25519v1-secret: type0 ==");
  });

  it("names what there is when the name is wrong", async () => {
    expect((await secrets(["show", "tokn"])).stderr).toBe("no secret tokn is declared: did you mean token\n");
    expect((await secrets(["show", "password"])).stderr).toBe(
      "no secret password is declared: command, later, onion-key, token\n",
    );
    expect((await secrets(["show", "token", "--stack", "prod"])).stderr).toBe("there is no stack prod here: dev\n");
  });

  it.each([
    [["frobnicate"], "unknown action frobnicate: type npm run secrets -- --help"],
    [["shwo"], "unknown action shwo: did you mean show"],
    [["show"], "show takes a word: type npm run secrets -- show NAME"],
    [["show", "token", "--json"], "--json goes with list, not with show"],
    [["reseal", "token", "--all"], "reseal takes no word here, got token: leave it out"],
  ])("and %j is a mistake that is answered in one line", async (argv, said) => {
    expect(await secrets(argv)).toMatchObject({ code: 2, stdout: "", stderr: `${said}\n` });
  });

  it("names file, line and column of a fault in the configuration", async () => {
    const file = path.join(sealing.folder, "Pulumi.dev.yaml");
    const before = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, "config:\n  sealed-onion:secrets: [\n");
    const { stderr } = await secrets(["--offline"]);
    fs.writeFileSync(file, "config:\n  sealed-onion:secrets: onion\n");
    const text = (await secrets(["--offline"])).stderr;
    fs.writeFileSync(file, before);
    expect(stderr).toMatch(
      /^Pulumi\.dev\.yaml:3:1: no YAML, flow sequence in block collection .+: correct it there\n$/,
    );
    expect(text).toBe('Pulumi.dev.yaml: sealed-onion:secrets must be an object or a list, got "onion"\n');
  });
});

describe.skipIf(noSops)(`npm run secrets -- edit${why}`, () => {
  it("seals what the editor saves, which was only ever in memory", async () => {
    const where = path.join(sealing.folder, "where");
    const run = await secrets(
      ["edit", "token"],
      editor(`echo "$1" > ${where}; stat -f -c %T "$1" >> ${where}; stat -c %a "$1" >> ${where}; printf edited > "$1"`),
    );
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("nix/stacks/dev/token.sops.json: sealed");
    const [file = "", kind, mode] = fs.readFileSync(where, "utf8").trim().split("\n");
    expect([kind, mode]).toEqual(["tmpfs", "600"]);
    expect(fs.existsSync(path.dirname(file))).toBe(false);
    expect(await open("token")).toBe("edited");
    expect((await views()).find(({ name }) => name === "token")?.sourceIs).toBe("different");
  });

  it("gives the editor a home in memory, no settings of the user's, and no core", async () => {
    const where = path.join(sealing.folder, "home");
    const program = `ulimit -c > ${where}; for folder in "$HOME" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$TMPDIR"; do
      stat -f -c %T "$folder" >> ${where}; done; cp "$1" "$HOME/.viminfo"; echo "$VIMINIT." >> ${where}; echo "$HOME" >> ${where}`;
    const run = await secrets(["edit", "token"], { ...editor(program), VIMINIT: "set viminfo='100,n/tmp/here" });
    expect(run.code).toBe(0);
    const [core, state, ...kinds] = fs.readFileSync(where, "utf8").trim().split("\n");
    const home = kinds.pop() ?? "";
    expect([core, state, ...kinds]).toEqual(["0", "tmpfs", "tmpfs", "tmpfs", "tmpfs", "."]);
    expect(home).toMatch(/\.home$/);
    expect(fs.existsSync(home)).toBe(false);
  });

  it.skipIf(!findOnPath("script"))(
    "keeps the text where sealing fails, and offers it again (needs script)",
    async () => {
      const before = await open("token");
      const [real, bin] = [findOnPath("sops"), path.join(sealing.folder, "failing")];
      fs.mkdirSync(bin);
      const fails = `case "$*" in *encrypt*) if [ ! -e "${bin}/failed" ]; then touch "${bin}/failed"; exit 3; fi;; esac`;
      fs.writeFileSync(path.join(bin, "sops"), `#!/bin/sh\n${fails}\nexec "${real}" "$@"\n`, { mode: 0o755 });
      const type = (input: string) => {
        fs.rmSync(path.join(bin, "failed"), { force: true });
        const node = `${process.execPath} components/start/run.mjs secrets edit token`;
        const environment = { ...editor('printf " more" >> "$1"'), PATH: `${bin}:${process.env.PATH}` };
        return sealing.startRaw("script", ["-qec", node, "/dev/null"], { environment, input });
      };
      expect((await type("q\n")).stdout).toContain("the text is still in memory: s seals it again");
      expect(await open("token")).toBe(before);
      expect((await type("s\n")).stdout).toContain("sealed; its source");
      expect(await open("token")).toBe(`${before} more`);
      expect((await type("e\n")).stdout).toContain("sealed; its source");
      expect(await open("token")).toBe(`${before} more more more`);
      fs.rmSync(bin, { recursive: true });
      const back = await secrets(["edit", "token"], editor(`printf %s "${before}" > "$1"`));
      expect(back.stderr).toContain("sealed; its source");
    },
  );

  it("says so of an editor that may not have waited", async () => {
    expect((await secrets(["edit", "token"], editor("true"))).stderr).toContain("the editor ended at once");
    expect((await secrets(["edit", "token"], editor("sleep 0.7"))).stderr).not.toContain("at once");
  });

  it("stands until its source changes", async () => {
    const kept = await sealing.run({ name: "token", source: { file: "token" }, fingerprint: "file:1" });
    expect(kept.result.action).toBe("unchanged");
    expect(await open("token")).toBe("edited");
    sealing.write("token", "newer value\n");
    const changed = await sealing.run({ name: "token", source: { file: "token" }, fingerprint: "file:2" });
    expect(changed.result.action).toBe("sealed");
    expect(await open("token")).toBe("newer value\n");
  });

  it.each([
    ["nothing was changed", "true", 0, "unchanged"],
    ["the editor fails", 'printf x > "$1"; exit 3', 1, "the editor ended with code 3: nothing is sealed"],
    ["the file was emptied", ': > "$1"', 1, "token would be empty: nothing is sealed"],
  ])("seals nothing if %s", async (_, program, code, message) => {
    const before = sealing.read(sealedFile("token"));
    const run = await secrets(["edit", "token"], editor(program));
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(message);
    expect(sealing.read(sealedFile("token"))).toEqual(before);
  });

  it("is not for onion keys", async () => {
    const run = await secrets(["edit", "onion-key"], editor("true"));
    expect(run.stderr).toContain("onion-key is an onion key, no text to edit");
  });
});

describe.skipIf(noSops)(`npm run secrets -- reseal${why}`, () => {
  it("reads a command again, which a preview never runs", async () => {
    const count = path.join(sealing.folder, "count");
    const command = ["sh", "-c", `echo >> ${count}; wc -l < ${count}`];
    configure({ counted: { source: { command } } }, "counting");
    sealing.write("nix/stacks/counting/facts.json", JSON.stringify({ vault: { keyUrl: sealing.keyUrl } }));
    for (const times of ["1", "2"]) {
      expect(await secrets(["reseal", "counted"])).toMatchObject({ code: 0 });
      expect((await open("counted", "counting")).trim()).toBe(times);
    }
    // What `pulumi up` does next with the same declaration: nothing.
    const [view] = await views(["--stack", "counting"]);
    expect(view?.sourceIs).toBe("same");
    fs.rmSync(path.join(sealing.folder, "Pulumi.counting.yaml"));
    fs.rmSync(path.join(sealing.folder, "nix/stacks/counting"), { recursive: true });
  });

  it("reads a source that several stacks share once", async () => {
    const count = path.join(sealing.folder, "shared-count");
    const command = ["sh", "-c", `echo >> ${count}; echo shared`];
    for (const stack of ["one", "two"]) {
      configure({ shared: { source: { command } } }, stack);
      sealing.write(`nix/stacks/${stack}/facts.json`, JSON.stringify({ vault: { keyUrl: sealing.keyUrl } }));
    }
    const run = await secrets(["reseal", "--all"], { LATER: "now it is there" });
    expect(run.stderr).toContain("1 generated key stands");
    expect(run.code).toBe(0);
    expect(fs.readFileSync(count, "utf8")).toBe("\n");
    for (const stack of ["one", "two"]) {
      expect(await open("shared", stack)).toBe("shared\n");
      fs.rmSync(path.join(sealing.folder, `Pulumi.${stack}.yaml`));
    }
    expect(await open("later")).toBe("now it is there");
  });

  it("is taken over by `pulumi up` without new ciphertext if the source says the same", async () => {
    sealing.write("token", "resealed\n");
    await secrets(["reseal", "token", "--stack", "dev"]);
    const before = sealing.read(sealedFile("token"));
    const run = await sealing.run({ name: "token", source: { file: "token" }, fingerprint: "file:3" });
    expect(run.result.action).toBe("unchanged");
    expect(sealing.read(sealedFile("token"))).toEqual(before);
    expect(sealing.record("token")).toMatchObject({ fingerprint: "file:3" });
    expect(sealing.record("token")).not.toHaveProperty("byHand");
  });

  it("names each secret that could not be sealed, and seals the others", async () => {
    fs.rmSync(path.join(sealing.folder, "token"));
    const run = await secrets(["reseal", "--all", "--stack", "dev"], { LATER: "x" });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("dev/token: source file:token does not exist");
    expect(run.stderr).toContain("nix/stacks/dev/later.sops.json: sealed");
  });

  it("does not replace a generated onion key", async () => {
    const run = await secrets(["reseal", "onion-key"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("--path sealed-onion:secrets.onion-key.generation 2, then pulumi up");
  });

  it("says what comes first where there is no key yet", async () => {
    configure({ early: { source: { file: "token" } } }, "fresh");
    const run = await secrets(["reseal", "early"]);
    expect(run.stderr).toBe("stack fresh has no Key Vault key yet: pulumi up --stack fresh\n");
    fs.rmSync(path.join(sealing.folder, "Pulumi.fresh.yaml"));
  });
});

describe.skipIf(noSops)(`npm run secrets -- adopt${why}`, () => {
  it("takes a file that sops itself changed into its record", async () => {
    const file = sealedFile("onion-key");
    sealing.write(file, Buffer.concat([sealing.read(file), Buffer.from("\n")]), 0o644);
    const run = await secrets(["adopt", "onion-key"]);
    expect(run).toMatchObject({ code: 0, stderr: `${file}: adopted\n` });
    expect(sealing.record("onion-key").onion?.hostname).toMatch(/\.onion$/);
  });
});
