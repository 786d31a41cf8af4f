import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Rig, startRig } from "loopback-azure/fixture";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../../../components/process/child-process";
import { lastLines } from "../../../../components/vm/status/azure-view";

let rig: Rig;
let folder: string;
beforeAll(async () => {
  rig = await startRig();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "outside-"));
});
afterAll(async () => {
  fs.rmSync(folder, { recursive: true });
  await rig.close();
});

/** A pulumi that has this machine, or answers with this exit code. */
function pulumi(answer: string, code = 0): string {
  const bin = fs.mkdtempSync(path.join(folder, "bin-"));
  fs.writeFileSync(path.join(bin, "pulumi"), `#!/bin/sh\ncat <<'END'\n${answer}\nEND\nexit ${code}\n`, { mode: 0o755 });
  return bin;
}

const PROGRAM = `
import { lookFromOutside } from ${JSON.stringify(path.resolve("components/vm/status/outside"))};
void lookFromOutside("dev", process.env.SPOKEN).then((said) => console.log(JSON.stringify(said)));
`;

/** As `npm run status` looks: in a process of its own, which reaches Azure by its environment. */
async function look(bin: string, spoken?: string) {
  const program = path.join(folder, "look.ts");
  fs.writeFileSync(program, PROGRAM);
  const environment = {
    ...process.env,
    ...rig.azure.workstation.env,
    NODE_EXTRA_CA_CERTS: rig.azure.workstation.env.SSL_CERT_FILE,
    PATH: `${bin}:${process.env.PATH}`,
    ...(spoken && { SPOKEN: spoken }),
  };
  const { code, stdout, stderr } = await runChild(
    process.execPath,
    [path.resolve("components/start/run.mjs"), program],
    { environment },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout.toString("utf8"));
}

describe("what Pulumi and Azure say of a machine", () => {
  beforeEach(() => {
    const machine = rig.cloud.get(rig.ids.machine);
    if (machine) rig.cloud.put({ ...machine, state: { power: "running", console: "boot\r\nsealed-onion: hello\r\n" } });
  });

  it("is its power, its provisioning and its console's last lines", async () => {
    const bin = pulumi(JSON.stringify({ vmId: rig.ids.machine }));
    expect(await look(bin)).toEqual({
      wanted: { is: rig.ids.machine },
      azure: { is: { power: "running", provisioning: expect.any(String), console: ["sealed-onion: hello"] } },
    });
  });

  it("is that of the machine that spoke, where Pulumi does not answer", async () => {
    const said = await look(pulumi("", 1), rig.ids.machine);
    expect(said.wanted).toEqual({ not: "pulumi stack output fails: run it by hand to see why" });
    expect(said.azure.is.power).toBe("running");
  });

  it("is that there is none, where Azure has none", async () => {
    const gone = `${rig.ids.machine}-gone`;
    const said = await look(pulumi(JSON.stringify({ vmId: gone })));
    expect(said.azure.is).toEqual({ provisioning: "gone", console: [] });
  });

  it("is not known where nobody names a machine", async () => {
    const said = await look(pulumi("{}"));
    expect(said.wanted).toEqual({ not: "its state has no machine" });
    expect(said.azure).toEqual({ not: "which machine to ask for is not known" });
  });
});

describe("the last lines of a console", () => {
  it.each([
    ["nothing", "", []],
    ["ours before the kernel's", "[ 1.0] x\nsealed-onion: a\n[ 2.0] y\n", ["sealed-onion: a"]],
    ["the kernel's where there are none of ours", "a\n\n\u001b[0;32mb\u001b[0m\u0007\r\n", ["a", "b"]],
    ["five of many", [..."abcdefgh"].join("\n"), [..."defgh"]],
  ])("are %s", (_, log, lines) => {
    expect(lastLines(log)).toEqual(lines);
  });
});
