import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ask, via } from "loopback-azure/client";
import * as fixture from "loopback-azure/fixture";
import { GUEST, OTHER, type Rig, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BLOB_CONTRIBUTOR } from "../../components/azure/azure-names";
import { findOnPath } from "../../components/process/find-program";
import { parseMachineStatus } from "../../components/vm/status/machine-status";
import { verdictOf } from "../../components/vm/status/verdict";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "curl", "jq"].filter((program) => !findOnPath(program));
const HOSTNAME = `${"a".repeat(56)}.onion`;
const ACCOUNT = "sealedtest";
const CONTAINER = `https://${ACCOUNT}.blob.core.windows.net/status`;

describe.skipIf(missing.length > 0)(`a machine's status (skipped without ${missing})`, () => {
  let rig: Rig;
  let machine: Machine;
  let directory: string;
  let environment: Record<string, string>;
  /** What systemd says of units, by name. */
  let units: Record<string, string>;

  beforeAll(async () => {
    rig = await startRig();
    const { account, group } = rig.ids;
    rig.cloud.put({
      id: account,
      type: "Microsoft.Storage/storageAccounts",
      name: ACCOUNT,
      location: "westeurope",
      properties: { allowBlobPublicAccess: false, allowSharedKeyAccess: false },
    });
    const role = fixture.roleId(rig.cloud, BLOB_CONTRIBUTOR);
    const { objectId } = rig.azure.workstation.principal;
    rig.cloud.put(fixture.assignment(group, objectId, role));
    rig.cloud.put(fixture.assignment(`${account}/blobServices/default/containers/status`, GUEST.principalId, role));
    machine = await rig.azure.bootMachine(rig.ids.machine);
    for (const name of ["status", "images"]) {
      const id = `${account}/blobServices/default/containers/${name}`;
      rig.cloud.put({ id, type: "Microsoft.Storage/storageAccounts/blobServices/containers", name, properties: {} });
    }
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
  });

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "status-"));
    units = { "sops-install-secrets.service": "active", "tor.service": "active" };
    layOutRoot();
    environment = {
      ...machine.env,
      PATH: `${path.join(directory, "bin")}:${process.env.PATH}`,
      AZURE_CLIENT_ID: GUEST.clientId,
      SEALED_ONION_STATE: path.join(directory, "state"),
      SEALED_ONION_ROOT: path.join(directory, "root"),
      SEALED_ONION_TOR: "0.4.9.11",
    };
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  /** What the script reads of the machine, and programs in place of systemd's. */
  function layOutRoot(): void {
    const write = (file: string, content: string, mode = 0o644) => {
      fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      fs.writeFileSync(path.join(directory, file), content, { mode });
    };
    write("root/proc/meminfo", "MemTotal:       4000000 kB\nMemAvailable:   3000000 kB\n");
    write("root/proc/uptime", "125.50 200.00\n");
    write("root/proc/sys/kernel/random/boot_id", "7f0c3e9c-0000-4000-8000-000000000000\n");
    const guard = (at: string) =>
      `Guard in=default rsa_id=AB nickname=x confirmed_on=${at} confirmed_idx=0 pb_use_attempts=1\n`;
    write("root/var/lib/tor/state", guard("2026-05-01T00:00:00") + guard("2026-03-01T00:00:00"));
    for (const system of ["current-system", "booted-system"]) {
      fs.mkdirSync(path.join(directory, "root/run"), { recursive: true });
      fs.mkdirSync(path.join(directory, "store", system), { recursive: true });
      for (const part of ["kernel", "initrd", "kernel-modules"]) {
        fs.symlinkSync(`/nix/store/${part}`, path.join(directory, "store", system, part));
      }
      fs.symlinkSync(path.join(directory, "store", system), path.join(directory, "root/run", system));
    }
    write(
      "state/descriptors.json",
      JSON.stringify({ [HOSTNAME]: { published: "2026-06-01T00:00:00Z", state: "own" } }),
    );
    write(
      "bin/journalctl",
      `#!/bin/sh\nprintf 'noise\\nsealed-onion: the secrets are still sealed: key "gone"\\n'\n`,
      0o755,
    );
    write("bin/find-silent", "#!/bin/sh\necho '{}'\n", 0o755);
    write("bin/systemctl", '#!/bin/sh\n[ "$1" = list-units ] && exit 0\ncat "$UNITS/$2"\n', 0o755);
  }

  async function run() {
    const folder = path.join(directory, "units");
    fs.mkdirSync(folder, { recursive: true });
    for (const [unit, state] of Object.entries(units)) fs.writeFileSync(path.join(folder, unit), state);
    return runGuestScript("write-status", [CONTAINER, JSON.stringify({ site: HOSTNAME })], {
      ...environment,
      UNITS: folder,
    });
  }

  async function blob(): Promise<string> {
    const token = await rig.tokenOf(rig.workstation(), "https://storage.azure.com");
    const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2023-11-03" };
    const reply = await ask(via(rig.azure.workstation.env), `${CONTAINER}/web.json`, { headers });
    if (reply.status !== 200) throw new Error(`${reply.status}: ${reply.text}`);
    return reply.text;
  }

  it("tells what a client of ours understands, and thinks that it serves", async () => {
    expect(await run()).toMatchObject({ code: 0 });
    const status = parseMachineStatus(await blob());
    expect(status).toMatchObject({
      machine: "web",
      resourceId: rig.ids.machine,
      uptimeSeconds: 125,
      rebootPending: false,
      secrets: { state: "active" },
      tor: { state: "active", version: "0.4.9.11", guardsSince: "2026-03-01T00:00:00Z" },
      services: { site: { hostname: HOSTNAME, published: "2026-06-01T00:00:00Z", state: "own" } },
      failedUnits: [],
      memory: { total: 4_000_000_000, available: 3_000_000_000 },
    });
    expect(verdictOf(status, new Date())).toEqual({ serving: true });
  });

  it("tells of services that nobody listens behind", async () => {
    fs.writeFileSync(path.join(directory, "bin/find-silent"), `#!/bin/sh\necho '{"site":"nothing listens at X"}'\n`);
    await run();
    const status = parseMachineStatus(await blob());
    expect([status.services.site?.silent, verdictOf(status, new Date()).serving]).toEqual([
      "nothing listens at X",
      false,
    ]);
  });

  it("tells of the data disk where there is one, and why it is not used", async () => {
    expect(JSON.parse(await run().then(blob))).not.toHaveProperty("dataDisk");
    environment.SEALED_ONION_DATA = "/var";
    units["data-disk.service"] = "active";
    await run();
    expect(parseMachineStatus(await blob()).dataDisk).toMatchObject({ state: "active", size: expect.any(Number) });
    units["data-disk.service"] = "failed";
    await run();
    expect(parseMachineStatus(await blob()).dataDisk).toEqual({ state: "failed", why: 'key "gone"' });
  });

  it("says what a replica's tor has counted, once it has", async () => {
    expect(JSON.parse(await run().then(blob))).not.toHaveProperty("visits");
    const visits = { introductions: 12, seconds: 3600 };
    fs.writeFileSync(path.join(directory, "state", "visits.json"), JSON.stringify(visits));
    await run();
    expect(JSON.parse(await blob())).toMatchObject({ visits });
  });

  it("says which of a replica's services no front end publishes", async () => {
    expect(parseMachineStatus(await run().then(blob)).services.site).not.toHaveProperty("alone");
    environment.SEALED_ONION_ALONE = "shell site";
    await run();
    expect(parseMachineStatus(await blob()).services.site).toMatchObject({ hostname: HOSTNAME, alone: true });
  });

  it("is not written again while nothing changes, and at once when something does", async () => {
    await run();
    const first = await blob();
    expect(await run()).toMatchObject({ code: 0 });
    expect(await blob()).toBe(first);
    units["tor.service"] = "failed";
    await run();
    expect(parseMachineStatus(await blob()).tor.state).toBe("failed");
  });

  it("is written all the same after some minutes, so that silence means something", async () => {
    await run();
    const first = await blob();
    environment.SEALED_ONION_EVERY = "0";
    await run();
    expect(await blob()).not.toBe(first);
  });

  it("tells which replica it is", async () => {
    fs.mkdirSync(path.join(directory, "root/run/sealed-onion-replica"), { recursive: true });
    fs.writeFileSync(path.join(directory, "root/run/sealed-onion-replica/number"), "2\n");
    await run();
    expect(JSON.parse(await blob())).toMatchObject({ replica: 2 });
  });

  it("of a front end tells what it has published, and that nothing is where it has not", async () => {
    const folder = path.join(directory, "root/run/sealed-onion-front-end");
    fs.mkdirSync(folder, { recursive: true });
    fs.rmSync(path.join(directory, "state/descriptors.json"));
    const tell = (published: string | null) => {
      const frontEnd = { [HOSTNAME]: { published, failedUploads: 0, backends: {} } };
      fs.writeFileSync(path.join(folder, "front-end.json"), JSON.stringify(frontEnd));
      return frontEnd;
    };
    const first = tell(null);
    await run();
    const services = (published: string | null, state: string) => ({ site: { hostname: HOSTNAME, published, state } });
    expect(JSON.parse(await blob())).toMatchObject({ frontEnd: first, services: services(null, "waiting") });
    const then = tell("2026-06-01T00:00:00Z");
    await run();
    expect(JSON.parse(await blob())).toMatchObject({
      frontEnd: then,
      services: services("2026-06-01T00:00:00Z", "own"),
    });
  });

  it("says why secrets stay sealed, in the words of the console", async () => {
    units["sops-install-secrets.service"] = "activating";
    await run();
    expect(parseMachineStatus(await blob()).secrets).toEqual({ state: "activating", why: 'key "gone"' });
  });

  it("tells of a kernel that waits for a reboot", async () => {
    const kernel = path.join(directory, "store/current-system/kernel");
    fs.rmSync(kernel);
    fs.symlinkSync("/nix/store/newer", kernel);
    await run();
    expect(parseMachineStatus(await blob()).rebootPending).toBe(true);
  });

  it("holds nothing of the metadata service's but the machine's name and id", async () => {
    await run();
    const content = await blob();
    for (const other of ["sealed files", "AAAAC3", "userData", "Bearer"]) expect(content).not.toContain(other);
  });

  it("cannot go to another container: the identity may write to this one alone", async () => {
    const services = JSON.stringify({ site: HOSTNAME });
    const other = CONTAINER.replace("/status", "/images");
    const folder = path.join(directory, "units");
    await run();
    fs.rmSync(path.join(directory, "state/written"));
    const { code, stderr } = await runGuestScript("write-status", [other, services], { ...environment, UNITS: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/may not write to .*images \(HTTP 403\): run pulumi up/);
  });

  it("by an identity that is not the machine's is not written, and the line says so", async () => {
    const { code, stderr } = await run().then(() => {
      fs.rmSync(path.join(directory, "state/written"));
      environment.AZURE_CLIENT_ID = OTHER.clientId;
      return run();
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`Azure gives no token to identity ${OTHER.clientId}`);
    environment.AZURE_CLIENT_ID = GUEST.clientId;
    expect((await run()).code).toBe(0);
  });
});
