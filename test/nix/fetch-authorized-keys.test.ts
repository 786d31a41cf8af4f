import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as fixture from "loopback-azure/fixture";
import { type Rig, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "curl", "jq"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`the administrator's SSH keys (skipped without ${missing.join(", ")})`, () => {
  let rig: Rig;
  let machine: Machine;
  let directory: string;
  let file: string;

  beforeAll(async () => {
    rig = await startRig();
    machine = await rig.azure.bootMachine(rig.ids.machine);
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "authorized-keys-"));
    file = path.join(directory, "operator");
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
    fs.rmSync(directory, { recursive: true });
  });

  function authorize(...keys: string[]): void {
    const publicKeys = keys.map((keyData) => ({ keyData, path: "/home/operator/.ssh/authorized_keys" }));
    const osProfile = { computerName: "web", adminUsername: "operator", linuxConfiguration: { ssh: { publicKeys } } };
    rig.cloud.put(fixture.machine(rig.cloud, [rig.ids.guest], { properties: { osProfile } }));
  }

  it("are those that Azure was given", async () => {
    authorize("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 operator@desk\r\n", "ssh-rsa AAAAB3NzaC1yc2E= second");
    const { code, stderr } = await runGuestScript("fetch-authorized-keys", [file], machine.env);
    expect([code, stderr]).toEqual([0, ""]);
    expect(fs.readFileSync(file, "utf8")).toBe(
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 operator@desk\nssh-rsa AAAAB3NzaC1yc2E= second\n",
    );
    expect(fs.statSync(file).mode & 0o777).toBe(0o644);
  });

  it("are keys alone, without options that would run something", async () => {
    authorize('command="/bin/sh" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 trick', "no key at all");
    const { stderr } = await runGuestScript("fetch-authorized-keys", [file], machine.env);
    expect(stderr).toBe("<4>sealed-onion: Azure knows no SSH key for this machine: nobody can log in\n");
    expect(fs.readFileSync(file, "utf8").trim()).toBe("");
  });

  it("stay as they are where Azure does not answer", async () => {
    authorize("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 operator");
    await runGuestScript("fetch-authorized-keys", [file], machine.env);
    const fault = rig.azure.faults.add({ host: "169.254.169.254", effect: { kind: "answer", status: 500 } });
    expect((await runGuestScript("fetch-authorized-keys", [file], machine.env)).code).not.toBe(0);
    fault.remove();
    expect(fs.readFileSync(file, "utf8")).toBe("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 operator\n");
  });
});
