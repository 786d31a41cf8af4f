import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "jq"].filter((program) => !findOnPath(program));
const listening = (port: number, state = "0A") =>
  `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 ${state} 0:0 00:0 0 0 0 1\n`;
const socket = (file: string, flags = "00010000") => `0000000000000000: 00000002 00000000 ${flags} 0001 01 7 ${file}\n`;

describe.skipIf(missing.length > 0)(`services that lead to nothing (skipped without ${missing})`, () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "silent-"));
    write("bin/systemctl", '#!/bin/sh\nprintf "ActiveState=inactive\\nResult=success\\nExecMainStatus=0\\n"\n', 0o755);
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  function write(file: string, content: string, mode = 0o644): void {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), content, { mode });
  }

  async function silent(targets: object, tables: Record<string, string>): Promise<unknown> {
    write("etc/sealed-onion/targets.json", JSON.stringify(targets));
    for (const [name, text] of Object.entries({ tcp: "", unix: "", ...tables })) write(`proc/net/${name}`, text);
    return run();
  }

  async function run(): Promise<unknown> {
    const environment = { PATH: `${root}/bin:${process.env.PATH}`, SEALED_ONION_ROOT: root };
    const { code, stderr, stdout } = await runGuestScript("find-silent", [], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout.toString("utf8"));
  }

  it.each([
    ["a port that is listened at", "127.0.0.1:8333", { tcp: listening(8333) }, {}],
    ["a port of all addresses of the newer kind", "[::1]:8333", { tcp6: listening(8333) }, {}],
    [
      "a port that only a client uses",
      "127.0.0.1:8333",
      { tcp: listening(8333, "06") },
      { api: "nothing listens at 127.0.0.1:8333" },
    ],
    ["a socket", "unix:/run/app/a b.sock", { unix: socket("/run/app/a b.sock") }, {}],
    [
      "a socket's file whose server is gone",
      "unix:/run/app/sock",
      { unix: socket("/run/app/sock", "00000000") + socket("/run/app/sock2") },
      { api: "nothing listens at unix:/run/app/sock" },
    ],
  ])("%s", async (_, target, tables, expected) => {
    expect(await silent({ api: { 80: { target } } }, tables as Record<string, string>)).toEqual(expected);
  });

  it("are named with their unit, each port of each", async () => {
    const site = { 80: { target: "127.0.0.1:8440", unit: "onion-site-site.service" }, 81: { target: "127.0.0.1:81" } };
    const found = await silent({ site, other: { 80: { target: "127.0.0.1:82" } } }, { tcp: listening(82) });
    expect(found).toEqual({
      site: "nothing listens at 127.0.0.1:8440 (onion-site-site.service is inactive), nothing listens at 127.0.0.1:81",
    });
  });

  it("are none of a machine that does not say what leads where", async () => {
    expect(await run()).toEqual({});
  });
});
