import { describe, expect, it } from "vitest";
import { type MachineStatus, parseMachineStatus } from "../../../../components/vm/status/machine-status";
import type { Outside } from "../../../../components/vm/status/outside";
import { reportJson, reportMetrics, reportText, verdictText } from "../../../../components/vm/status/status-text";
import { SILENT_MS, verdictOf, withOutside } from "../../../../components/vm/status/verdict";
import { exampleStatus, HOSTNAME } from "./example-status";

const NOW = new Date("2026-06-02T00:00:00Z");
const statusOf = (change: Partial<MachineStatus> = {}) => exampleStatus({ written: NOW.toISOString(), ...change });
const service = (state: "other" | "own" | "waiting", published: string | null) => ({
  services: { site: { hostname: HOSTNAME, state, published } },
});

describe("what is to be thought of a machine's status, in one line", () => {
  it.each<[string, Partial<MachineStatus>, string]>([
    ["all is well", {}, "it serves"],
    [
      "it was silent for too long",
      { written: new Date(NOW.getTime() - SILENT_MS - 60_000).toISOString() },
      "it does not serve: sealed-onion-dev-abc123 has said nothing for 16 minutes: look at its console: az vm boot-diagnostics get-boot-log --ids /subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/sealed-onion-dev-abc123",
    ],
    [
      "secrets are sealed",
      { secrets: { state: "activating", why: "HTTP 403" } },
      "it does not serve: the secrets are still sealed: HTTP 403: wait: it is tried again",
    ],
    [
      "tor has failed",
      { tor: { state: "failed", version: "0", why: "its key is damaged" } },
      "it does not serve: tor is failed: its key is damaged: npm run status -- --watch",
    ],
    [
      "an address is not published",
      service("waiting", null),
      "it does not serve: service site is not published yet: npm run status -- --watch",
    ],
    [
      "an address is not found",
      service("waiting", "2026-06-01T00:00:00Z"),
      "it does not serve: service site was published at 2026-06-01T00:00:00Z, and is not found yet: npm run status -- --watch",
    ],
    [
      "another machine has the address",
      service("other", null),
      `it does not serve: service site leads to another machine: it has the key of ${HOSTNAME}, too: npm run status -- --watch`,
    ],
    [
      "nobody listens behind an address",
      {
        services: {
          site: { hostname: HOSTNAME, state: "own", published: "2026-06-01T00:00:00Z", silent: "nothing listens at X" },
        },
      },
      "it does not serve: service site: nothing listens at X: look at its server's journal on the machine",
    ],
    [
      "a unit has failed",
      { failedUnits: ["web.service"] },
      "it serves: these units have failed: web.service: look at their journal on the machine",
    ],
    [
      "the disk is full",
      { disk: { size: 2 ** 34, available: 2 ** 24 } },
      "it serves: its disk has 16 MiB left: nix-collect-garbage on the machine",
    ],
    [
      "the data disk is another one",
      { dataDisk: { state: "failed", why: "it holds ntfs, which is left as it is: attach an empty disk" } },
      "it does not serve: the data disk is not used: it holds ntfs, which is left as it is: attach an empty disk: npm run status -- --watch",
    ],
    [
      "the data disk is full",
      { dataDisk: { state: "active", size: 2 ** 34, available: 2 ** 24 } },
      "it serves: its data disk has 16 MiB left: set a larger sealed-onion:dataDisk.sizeGib, pulumi up, and reboot it",
    ],
    ["a reboot is pending", { rebootPending: true }, "it serves: its kernel waits for a reboot: reboot it"],
  ])("%s", (_, change, expected) => {
    expect(verdictText(verdictOf(statusOf(change), NOW))).toBe(expected);
  });
});

const UNASKED: Outside = { wanted: { not: "pulumi is not on PATH" }, azure: { not: "no login" } };
const MACHINE_ID = exampleStatus().resourceId;
const OTHER_ID = MACHINE_ID.replace("abc123", "def456");
const azure = (power: string | undefined, provisioning = "Succeeded") => ({ is: { power, provisioning, console: [] } });
const silent = { written: new Date(NOW.getTime() - SILENT_MS - 60_000).toISOString() };

describe("what is to be thought of it with what Pulumi and Azure say", () => {
  it.each<[string, Partial<MachineStatus>, Partial<Outside>, string]>([
    ["nobody else could be asked", {}, {}, "it serves"],
    ["all agree", {}, { wanted: { is: MACHINE_ID.toUpperCase() }, azure: azure("running") }, "it serves"],
    [
      "Azure has switched it off",
      {},
      { azure: azure("deallocated") },
      `it does not serve: Azure says that sealed-onion-dev-abc123 is deallocated (Succeeded): az vm start --ids ${MACHINE_ID}`,
    ],
    [
      "it is silent, and Azure knows why",
      silent,
      { azure: azure("stopped") },
      `it does not serve: Azure says that sealed-onion-dev-abc123 is stopped (Succeeded): az vm start --ids ${MACHINE_ID}`,
    ],
    [
      "it is silent, and runs for all that Azure knows",
      silent,
      { azure: azure("running") },
      `it does not serve: sealed-onion-dev-abc123 has said nothing for 16 minutes: look at its console: az vm boot-diagnostics get-boot-log --ids ${MACHINE_ID}`,
    ],
    [
      "it is being made",
      silent,
      { azure: azure("starting", "Creating") },
      "it does not serve: Azure says that sealed-onion-dev-abc123 is starting (Creating): npm run status -- --watch",
    ],
    [
      "Azure has it no more",
      {},
      { azure: azure(undefined, "gone") },
      "it does not serve: Azure has no sealed-onion-dev-abc123: pulumi up --refresh",
    ],
    [
      "another one spoke last than Pulumi has",
      {},
      { wanted: { is: OTHER_ID }, azure: azure("running") },
      "it does not serve: sealed-onion-dev-abc123 spoke last, and Pulumi's machine is sealed-onion-dev-def456: npm run status -- --watch, or pulumi up, which ends what was left over",
    ],
  ])("%s", (_, change, outside, expected) => {
    const status = statusOf(change);
    expect(verdictText(withOutside(verdictOf(status, NOW), status, { ...UNASKED, ...outside }))).toBe(expected);
  });
});

describe("a status that cannot be read", () => {
  it.each([
    ["cut short", '{"version":1,"mach', "the machine's status is not one of version 1: type npm ci, then pulumi up"],
    [
      "of a later version",
      '{"version":2}',
      "the machine's status is not one of version 1: type npm ci, then pulumi up",
    ],
    ["without what it is about", '{"version":1}', "the machine's status is incomplete: type pulumi up"],
  ])("%s", (_, text, message) => {
    expect(() => parseMachineStatus(text)).toThrow(new Error(message));
  });
});

describe("a report", () => {
  const report = (change: Partial<MachineStatus> = {}) => {
    const status = statusOf(change);
    const probes = [{ hostname: HOSTNAME, seconds: 2.1 }];
    const outside: Outside = {
      wanted: { is: MACHINE_ID },
      azure: { is: { power: "running", provisioning: "Succeeded", console: ["sealed-onion: hello"] } },
    };
    return { stack: "dev", status, verdict: verdictOf(status, NOW), probes, outside };
  };

  it("says why others were not asked, and what the last update came to", () => {
    const update = { generation: 7, path: "/nix/store/x", outcome: "went back", why: "no tor", at: "now" } as const;
    const text = reportText({ ...report({ update }), outside: UNASKED });
    expect(text).toContain("update     system 7 went back since now: no tor\n");
    expect(text).toContain("pulumi     not asked: pulumi is not on PATH\nazure      not asked: no login\n");
  });

  it("for people is this text", () => {
    expect(reportText(report())).toBe(`stack      dev, machine sealed-onion-dev-abc123, up 1 d 2 h
system     00000000000000000000000000000000-nixos-system-dev
secrets    open
tor        active, 0.4.9.11, guards since 2026-03-01T00:00:00Z
site       ${HOSTNAME} published, at 2026-06-01T00:00:00Z
probe      ${HOSTNAME} answered in 2.1 s
free       disk 8192 MiB of 16384 MiB, memory 2048 MiB of 4096 MiB
written    2026-06-02T00:00:00.000Z
pulumi     sealed-onion-dev-abc123
azure      running, Succeeded
console    sealed-onion: hello
it serves`);
  });

  it("for programs is one line of JSON", () => {
    const text = reportJson(report({ rebootPending: true }));
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toMatchObject({ stack: "dev", serving: true, problem: "its kernel waits for a reboot" });
  });

  it("for Prometheus has each metric's help and type before its samples", () => {
    const lines = reportMetrics(report(service("other", null))).split("\n");
    expect(lines).toContain('sealed_onion_serving{stack="dev",machine="sealed-onion-dev-abc123"} 0');
    expect(lines).toContain('sealed_onion_published{stack="dev",machine="sealed-onion-dev-abc123",service="site"} 0');
    const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
    for (const sample of samples) {
      expect(sample).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\}) -?[\d.e+]+$/);
      expect(lines).toContain(`# TYPE ${sample.split("{")[0]} gauge`);
    }
    expect(samples).toHaveLength(16);
  });
});
