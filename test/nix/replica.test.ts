import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "jq", "base64"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`which replica a machine is (skipped without ${missing})`, () => {
  let directory: string;
  let environment: Record<string, string>;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "replica-"));
    environment = {
      PATH: `${path.join(directory, "bin")}:${process.env.PATH}`,
      SEALED_ONION_REPLICA: path.join(directory, "state"),
    };
    fs.mkdirSync(path.join(directory, "bin"));
    write("keys.json", JSON.stringify({ site: ["/run/secrets/a-1", "/run/secrets/a-2"], blog: ["/k/1", "/k/2"] }));
    write(
      "texts.json",
      JSON.stringify({ "master.onion": ["one.onion", "two.onion"], "/run/a-1": ["/run/a-1", "/run/a-2"] }),
    );
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  function write(name: string, content: string, mode = 0o644): string {
    const file = path.join(directory, name);
    fs.writeFileSync(file, content, { mode });
    return file;
  }

  /** With a metadata service that has this user data; undefined: it does not answer. */
  function readReplica(userData: string | undefined) {
    const answer = userData === undefined ? "exit 7" : `printf '%s' '${Buffer.from(userData).toString("base64")}'`;
    write("bin/curl", `#!/bin/sh\n${answer}\n`, 0o755);
    return runGuestScript("read-replica", [path.join(directory, "keys.json")], environment);
  }

  const asReplica = (...command: string[]) =>
    runGuestScript("as-replica", [path.join(directory, "texts.json"), ...command], environment);

  it("comes from user data, and its keys are laid out by service", async () => {
    const { code, stderr } = await readReplica('{"version":1,"replica":2,"secrets":{}}');
    expect([code, stderr]).toEqual([0, "<6>sealed-onion: this is replica 2 of 2\n"]);
    const state = path.join(directory, "state");
    expect(fs.readFileSync(path.join(state, "number"), "utf8")).toBe("2\n");
    expect(["site", "blog"].map((name) => fs.readlinkSync(path.join(state, "keys", name)))).toEqual([
      "/run/secrets/a-2",
      "/k/2",
    ]);
  });

  it.each([
    ["none at all", "", "nothing"],
    ["no number", '{"version":1,"secrets":{}}', "nothing"],
    ["a replica that the image does not know", '{"replica":3}', "3"],
    ["zero", '{"replica":0}', "0"],
    ["a negative one", '{"replica":-1}', "-1"],
    ["a part of one", '{"replica":1.5}', "1.5"],
    ["a text", '{"replica":"1"}', '"1"'],
    ["a command", '{"replica":"a[$(id)]"}', '"a[$(id)]"'],
    ["no JSON", "replica 1", "nothing"],
  ])("is refused where user data has %s", async (_, userData, got) => {
    const { code, stderr } = await readReplica(userData);
    expect([code, stderr]).toEqual([
      1,
      `<2>sealed-onion: this replica stays down: user data must say which replica it is, 1 to 2, got ${got}: run pulumi up\n`,
    ]);
    expect(fs.existsSync(path.join(directory, "state"))).toBe(false);
  });

  it("is not guessed where the metadata service is silent", async () => {
    const { code, stderr } = await readReplica(undefined);
    expect(code).toBe(1);
    expect(stderr).toContain("the metadata service gives no user data");
  });

  it("makes the first replica's command its own, wherever in an argument", async () => {
    await readReplica('{"replica":2}');
    const { stdout } = await asReplica("printf", "%s\\n", "/run/a-1", '{"site":"master.onion"}', "other.onion");
    expect(stdout.toString()).toBe('/run/a-2\n{"site":"two.onion"}\nother.onion\n');
  });

  it("leaves the first replica's command as it is", async () => {
    await readReplica('{"replica":1}');
    const { stdout } = await asReplica("printf", "%s\\n", "/run/a-1", "master.onion");
    expect(stdout.toString()).toBe("/run/a-1\none.onion\n");
  });

  it("gives back how the command ended", async () => {
    await readReplica('{"replica":1}');
    expect((await asReplica("sh", "-c", "exit 7")).code).toBe(7);
  });

  it("has no command run while it is not known", async () => {
    const { code, stdout, stderr } = await asReplica("printf", "ran");
    expect([code, stdout.toString(), stderr]).toEqual([
      1,
      "",
      "<4>sealed-onion: it is not known yet which replica this is\n",
    ]);
  });
});
