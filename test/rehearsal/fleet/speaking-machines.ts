import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoopbackAzure } from "loopback-azure/azure";
import { ask, via } from "loopback-azure/client";
import type { CloudResource } from "loopback-azure/cloud";
import type { FleetMachineStatus } from "../../../components/fleet/fleet-status";
import type { Facts } from "../../../components/stack/facts";

export interface SpeakingMachines {
  /** What happened, in order: `+ replica-1` made, `published replica-1`, `- replica-1` gone. A machine alone is `machine`. */
  readonly log: string[];
  /** Waits until the log tells of all that has happened by now. */
  caughtUp(): Promise<void>;
  /** Machines of this role that have not spoken yet stay silent, as those that do not serve; undefined: none does. */
  hush(role: string | undefined): void;
  close(): Promise<void>;
}

const LOOK_MS = 50;
export const MACHINE = "Microsoft.Compute/virtualMachines";

interface Known {
  readonly role: string;
  readonly resource: CloudResource;
  /** ISO 8601, once its status is written. */
  published?: string;
}

/**
 * Says for each machine of the cloud what it would itself, as no machine boots behind them: each serves once it is there.
 * A front end has taken in what is published. Each writes with its own identity's right.
 * @param folder the program's working copy
 * @param stacks where in it the stacks' folders are
 */
export function speakForMachines(
  azure: LoopbackAzure,
  folder: string,
  stack: string,
  stacks = "nix/stacks",
): SpeakingMachines {
  const known = new Map<string, Known>();
  const log: string[] = [];
  let [isOpen, looks] = [true, 0];
  let hushed: string | undefined;

  async function look(): Promise<void> {
    const there = azure.cloud.list({ type: MACHINE });
    for (const [name, { role }] of known) {
      if (there.some((resource) => resource.name === name)) continue;
      known.delete(name);
      log.push(`- ${role}`);
    }
    for (const resource of there.filter(({ name }) => !known.has(name))) {
      const role = roleOf(resource.name, stack);
      known.set(resource.name, { role, resource });
      log.push(`+ ${role}`);
    }
    for (const machine of known.values())
      if (machine.role !== hushed || machine.published !== undefined) await speak(machine);
  }

  async function speak(machine: Known): Promise<void> {
    const { resource, role } = machine;
    const facts = factsOf(path.join(folder, stacks), role.startsWith("front-end") ? `${stack}-front-end` : stack);
    if (facts?.status === undefined) return;
    const published = machine.published ?? new Date().toISOString();
    const status = statusOf({ ...machine, published }, facts, [...known.values()]);
    const code = await write(azure, resource, `${facts.status.containerUrl}/${resource.name}.json`, status);
    if (code !== 201 || machine.published !== undefined) return; // 403: its right has not come into effect yet
    machine.published = published;
    log.push(`published ${role}`);
  }

  const watching = (async () => {
    for (; isOpen; await sleep(LOOK_MS)) {
      await look();
      looks++;
    }
  })();
  watching.catch(() => {}); // told by who waits for it
  return {
    log,
    hush(role) {
      hushed = role;
    },
    async caughtUp() {
      const enough = looks + 2; // the one that runs now may have looked before
      while (looks < enough) await Promise.race([sleep(LOOK_MS), watching]);
    },
    async close() {
      isOpen = false;
      await watching;
    },
  };
}

/** `sealed-onion-story-replica-2-abc123` -> `replica-2`. */
export function roleOf(name: string, stack: string): string {
  const [, role = ""] = new RegExp(`^sealed-onion-${stack}-(?:(.+)-)?[a-z0-9]{6}$`).exec(name) ?? [];
  return role || "machine";
}

/** As the last build wrote them; undefined before. */
function factsOf(stacks: string, stack: string): Facts | undefined {
  const file = path.join(stacks, stack, "facts.json");
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as Facts) : undefined;
}

function statusOf({ role, resource, published }: Required<Known>, facts: Facts, all: Known[]): FleetMachineStatus {
  const now = new Date().toISOString();
  const said = saysOfItself(resource);
  const number = Number(/^replica-(\d)$/.exec(role)?.[1] ?? 0);
  const addressOf = (name: string) => facts.replica?.services[name]?.[number - 1]?.hostname;
  const balanced = Object.entries(facts.frontEnd?.services ?? {});
  const own = Object.entries(facts.services).map(
    ([name, { hostname }]) => [name, addressOf(name) ?? hostname] as const,
  );
  const served = [...own, ...balanced.map(([name, { hostname }]) => [name, hostname] as const)];
  const taken = (backends: readonly string[]) =>
    backends.map((backend, index) => {
      const replicas = all.filter((one) => one.role === `replica-${index + 1}` && one.published !== undefined);
      return [backend, { introductionPoints: replicas.length > 0 ? 2 : 0, fetched: now }] as const;
    });
  const frontEnd = balanced.map(([, { hostname, backends }]) => {
    return [
      hostname,
      { published, uploading: false, failedUploads: 0, backends: Object.fromEntries(taken(backends)) },
    ] as const;
  });
  return {
    ...said,
    services: Object.fromEntries(served.map(([name, hostname]) => [name, { hostname, published, state: "own" }])),
    ...(number === 0 ? {} : { replica: number }),
    ...(frontEnd.length === 0 ? {} : { frontEnd: Object.fromEntries(frontEnd) }),
  };
}

/** What every machine says that is well, but for its services. */
export function saysOfItself({ id, name }: CloudResource): Omit<FleetMachineStatus, "services"> {
  return {
    ...{ version: 1, machine: name, resourceId: id, written: new Date().toISOString(), boot: "1", uptimeSeconds: 60 },
    ...{ system: "/nix/store/system", bootedSystem: "/nix/store/system", rebootPending: false, kernel: "6.18" },
    secrets: { state: "active" },
    tor: { state: "active", version: "0.4.9" },
    failedUnits: [],
    disk: { size: 100, available: 50 },
    memory: { total: 100, available: 50 },
  };
}

/** With the identity of the machine itself. @returns the HTTP status */
export async function write(
  azure: LoopbackAzure,
  { identity }: CloudResource,
  url: string,
  status: object,
): Promise<number> {
  const [assigned] = Object.values(identity?.userAssignedIdentities ?? {});
  const principal = azure.cloud.directory.principal(assigned?.principalId ?? "");
  if (principal === undefined) return 0;
  const { token } = await azure.tokens.issue({ principal, audience: "https://storage.azure.com" });
  const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2023-11-03", "x-ms-blob-type": "BlockBlob" };
  const reply = await ask(via(azure.workstation.env), url, { method: "PUT", headers, body: JSON.stringify(status) });
  return reply.status;
}
