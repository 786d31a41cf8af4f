import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as fixture from "loopback-azure/fixture";
import { GUEST, type Rig, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BLOB_CONTRIBUTOR } from "../../components/azure/azure-names";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";
import { openLogs } from "../../components/vm/status/open-logs";
import { runGuestScript } from "./guest-script";

const missing = ["age", "age-keygen", "bash", "curl", "jq", "ssh-keygen"].filter((program) => !findOnPath(program));
const ACCOUNT = "sealedlogs";
const CONTAINER = `https://${ACCOUNT}.blob.core.windows.net/status`;
const LINE = "2026-06-01T00:00:00+0000 web tor[1]: ";

describe.skipIf(missing.length > 0)(`a machine's logs (skipped without ${missing})`, () => {
  let rig: Rig;
  let machine: Machine;
  let folder: string;
  let run: number;
  const file = (name: string) => path.join(folder, name);

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "logs-"));
    rig = await startRig();
    const account = `${rig.ids.group}/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`;
    const properties = { allowBlobPublicAccess: false, allowSharedKeyAccess: false };
    const type = "Microsoft.Storage/storageAccounts";
    rig.cloud.put({ id: account, type, name: ACCOUNT, location: "westeurope", properties });
    const role = fixture.roleId(rig.cloud, BLOB_CONTRIBUTOR);
    const container = `${account}/blobServices/default/containers/status`;
    rig.cloud.put(fixture.assignment(rig.ids.group, rig.azure.workstation.principal.objectId, role));
    rig.cloud.put(fixture.assignment(container, GUEST.principalId, role));
    machine = await rig.azure.bootMachine(rig.ids.machine);
    rig.cloud.put({ id: container, type: `${type}/blobServices/containers`, name: "status", properties: {} });
    const quiet = { stdio: "ignore" } as const;
    execFileSync("age-keygen", ["-o", file("age-key")], quiet);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file("ssh-key")], quiet);
    const recipients = [execFileSync("age-keygen", ["-y", file("age-key")]), fs.readFileSync(file("ssh-key.pub"))];
    fs.writeFileSync(file("recipients"), recipients.join(""));
    fs.mkdirSync(file("bin"));
    const journalctl = `#!/bin/sh\nprintf '%s\\n' "$*" >>'${file("asked")}'\ncat '${file("journal")}'\n`;
    fs.writeFileSync(file("bin/journalctl"), journalctl, { mode: 0o755 });
    run = 0;
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
    fs.rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    fs.mkdirSync(file(`state-${++run}`));
    fs.writeFileSync(file("journal"), `${LINE}first ${run}\n`);
  });

  function write(most = 2 ** 20, { CONTAINER: container = CONTAINER, ...change }: NodeJS.ProcessEnv = {}) {
    return runGuestScript("write-logs", [container, `${most}`, "tor.service", "web.service"], {
      ...machine.env,
      PATH: `${file("bin")}:${process.env.PATH}`,
      AZURE_CLIENT_ID: GUEST.clientId,
      SEALED_ONION_STATE: file(`state-${run}`),
      SEALED_ONION_RECIPIENTS: file("recipients"),
      ...(change as Record<string, string>),
    });
  }

  async function handedOut(): Promise<Buffer> {
    const token = await rig.tokenOf(rig.workstation(), "https://storage.azure.com");
    const headers = ["-H", `Authorization: Bearer ${token}`, "-H", "x-ms-version: 2023-11-03"];
    const environment = { PATH: process.env.PATH, ...rig.azure.workstation.env };
    const argv = ["--silent", "--fail", ...headers, `${CONTAINER}/web.log.age`];
    const { code, stdout } = await runChild("curl", argv, { environment });
    expect(code).toBe(0);
    return stdout;
  }

  it.each(["age", "ssh"])("open with the operator's %s key, and say nothing to anybody else", async (kind) => {
    expect(await write()).toMatchObject({ code: 0, stderr: "" });
    const sealed = await handedOut();
    expect(sealed.includes(`first ${run}`)).toBe(false);
    const variable = kind === "age" ? "SOPS_AGE_KEY_FILE" : "SOPS_AGE_SSH_PRIVATE_KEY_FILE";
    expect(await openLogs(sealed, { [variable]: file(`${kind}-key`) })).toBe(`${LINE}first ${run}\n`);
    execFileSync("age-keygen", ["-o", file(`other-${kind}`)], { stdio: "ignore" });
    await expect(openLogs(sealed, { SOPS_AGE_KEY_FILE: file(`other-${kind}`) })).rejects.toThrow(
      /does not open the logs \(.*\): export SOPS_AGE_KEY_FILE=FILE with a recipient's key$/,
    );
    expect(fs.readFileSync(file("asked"), "utf8")).toContain("--unit tor.service --unit web.service");
  });

  it("are bounded, and their last lines count", async () => {
    fs.writeFileSync(file("journal"), `${`${LINE}old\n`.repeat(1_000)}${LINE}last\n`);
    await write(1_000);
    const text = await openLogs(await handedOut(), { SOPS_AGE_KEY_FILE: file("age-key") });
    expect(text.length).toBeLessThanOrEqual(1_000);
    expect(text.endsWith(`${LINE}last\n`)).toBe(true);
  });

  it("are not written again while they say the same", async () => {
    await write();
    const first = await handedOut();
    expect(await write()).toMatchObject({ code: 0 });
    expect((await handedOut()).equals(first)).toBe(true);
    fs.appendFileSync(file("journal"), `${LINE}second\n`);
    expect(await write()).toMatchObject({ code: 0 });
    expect((await handedOut()).equals(first)).toBe(false);
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    [
      "a container that is not there",
      { CONTAINER: CONTAINER.replace("/status", "/gone") },
      /\/gone answers HTTP 40[34]$/,
    ],
    ["an identity that is not the machine's", { AZURE_CLIENT_ID: "0" }, /Azure gives no token to identity 0$/],
    ["recipients that are none", { SEALED_ONION_RECIPIENTS: "/dev/null" }, /age refuses a recipient/],
  ])("%s: says why, and what was handed out before stays", async (_, change, reason) => {
    await write();
    const before = await handedOut();
    fs.appendFileSync(file("journal"), `${LINE}second\n`);
    const { code, stderr } = await write(2 ** 20, change);
    expect(code).toBe(1);
    expect(stderr.trim().split("\n").at(-1)).toMatch(/^<4>sealed-onion: the logs are not handed out: /);
    expect(stderr.trim().split("\n").at(-1)).toMatch(reason);
    expect(stderr).not.toContain("second");
    expect((await handedOut()).equals(before)).toBe(true);
  });

  it("do not steer the operator's terminal", async () => {
    fs.writeFileSync(file("journal"), `${LINE}GET /\u001b[2J\u0007\n`);
    await write();
    expect(await openLogs(await handedOut(), { SOPS_AGE_KEY_FILE: file("age-key") })).toBe(`${LINE}GET /[2J\n`);
  });
});
