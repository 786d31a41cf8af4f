import type { AzureView } from "./azure-view";
import type { MachineStatus, ServiceStatus } from "./machine-status";
import type { Outside } from "./outside";

/** What is to be thought of a status, in one line each. */
export interface Verdict {
  /** Every secret is open, the network gives out what this machine published for each service, and each is answered. */
  readonly serving: boolean;
  /** What is wrong, if anything. */
  readonly problem?: string;
  /** What to type, or to look at. */
  readonly remedy?: string;
}

/** The machine writes every five minutes; Azure may be slow once. Milliseconds. */
export const SILENT_MS = 15 * 60_000;

/** Less of the disk than this is a problem. */
const LEAST_FREE = 0.05;

function silenceOf({ written }: MachineStatus, now: Date): number {
  return now.getTime() - Date.parse(written);
}

/** Whether what it says is too old to count. */
export function isSilent(status: MachineStatus, now: Date): boolean {
  return silenceOf(status, now) > SILENT_MS;
}

export function verdictOf(status: MachineStatus, now: Date): Verdict {
  const silence = silenceOf(status, now);
  if (isSilent(status, now)) {
    const problem = `${status.machine} has said nothing for ${minutes(silence)} minutes`;
    return {
      serving: false,
      problem,
      remedy: `look at its console: az vm boot-diagnostics get-boot-log --ids ${status.resourceId}`,
    };
  }
  return (
    unopened(status) ??
    diskless(status) ??
    torless(status) ??
    unpublished(status) ??
    unanswered(status) ?? { serving: true, ...warning(status) }
  );
}

/**
 * The same with what others know: a machine that Azure has switched off does not serve, whatever it said last, and why a
 * machine is silent is seen from outside alone.
 */
export function withOutside(verdict: Verdict, status: MachineStatus, { azure, wanted }: Outside): Verdict {
  const known = "is" in azure ? azure.is : undefined;
  const other = "is" in wanted && wanted.is.toLowerCase() !== status.resourceId.toLowerCase() ? wanted.is : undefined;
  const id = other ?? status.resourceId;
  return notThere(id, known) ?? (other === undefined ? verdict : unspoken(other, status));
}

/** What Azure says of Pulumi's machine, where that is reason enough. */
export function notThere(id: string, azure: AzureView | undefined): Verdict | undefined {
  const name = id.split("/").at(-1);
  if (azure === undefined || azure.power === "running") return undefined;
  if (azure.power === undefined)
    return { serving: false, problem: `Azure has no ${name}`, remedy: "pulumi up --refresh" };
  const problem = `Azure says that ${name} is ${azure.power} (${azure.provisioning})`;
  const isOff = ["deallocated", "stopped"].includes(azure.power);
  return { serving: false, problem, remedy: isOff ? `az vm start --ids ${id}` : "npm run status -- --watch" };
}

/** Another machine spoke last than the one that Pulumi has. */
function unspoken(wanted: string, { machine }: MachineStatus): Verdict {
  const problem = `${machine} spoke last, and Pulumi's machine is ${wanted.split("/").at(-1)}`;
  return { serving: false, problem, remedy: "npm run status -- --watch, or pulumi up, which ends what was left over" };
}

function unopened({ secrets }: MachineStatus): Verdict | undefined {
  if (secrets.state === "active") return undefined;
  const why = secrets.why ?? "they are being opened";
  return { serving: false, problem: `the secrets are still sealed: ${why}`, remedy: "wait: it is tried again" };
}

/** Tor keeps its guards there, and waits for it. */
function diskless({ dataDisk }: MachineStatus): Verdict | undefined {
  if (dataDisk === undefined || dataDisk.state === "active") return undefined;
  const problem = `the data disk is not used: ${dataDisk.why ?? `data-disk.service is ${dataDisk.state}`}`;
  return { serving: false, problem, remedy: "npm run status -- --watch" };
}

function torless({ tor }: MachineStatus): Verdict | undefined {
  if (tor.state === "active") return undefined;
  const problem = `tor is ${tor.state}: ${tor.why ?? "it has not started yet"}`;
  return { serving: false, problem, remedy: "npm run status -- --watch" };
}

function unpublished({ services }: MachineStatus): Verdict | undefined {
  const [name, service] = Object.entries(services).find(([, { state }]) => state !== "own") ?? [];
  if (name === undefined || service === undefined) return undefined;
  return { serving: false, problem: `service ${name} ${words(service)}`, remedy: "npm run status -- --watch" };
}

/** The address is there, and visitors get nothing. */
function unanswered({ services }: MachineStatus): Verdict | undefined {
  const [name, service] = Object.entries(services).find(([, { silent }]) => silent !== undefined) ?? [];
  if (service?.silent === undefined) return undefined;
  const problem = `service ${name}: ${service.silent}`;
  return { serving: false, problem, remedy: "look at its server's journal on the machine" };
}

function words({ hostname, published, state }: ServiceStatus): string {
  if (state === "other") return `leads to another machine: it has the key of ${hostname}, too`;
  return published ? `was published at ${published}, and is not found yet` : "is not published yet";
}

/** It serves, and something should be done all the same. */
function warning({ dataDisk, disk, failedUnits, rebootPending }: MachineStatus): Omit<Verdict, "serving"> {
  if (failedUnits.length > 0) {
    return {
      problem: `these units have failed: ${failedUnits.join(", ")}`,
      remedy: "look at their journal on the machine",
    };
  }
  const { available = 1, size = 1 } = dataDisk ?? {};
  if (available < size * LEAST_FREE) {
    const problem = `its data disk has ${Math.floor(available / 2 ** 20)} MiB left`;
    return { problem, remedy: "set a larger sealed-onion:dataDisk.sizeGib, pulumi up, and reboot it" };
  }
  if (disk.available < disk.size * LEAST_FREE) {
    return {
      problem: `its disk has ${Math.floor(disk.available / 2 ** 20)} MiB left`,
      remedy: "nix-collect-garbage on the machine",
    };
  }
  if (rebootPending) return { problem: "its kernel waits for a reboot", remedy: "reboot it" };
  return {};
}

function minutes(milliseconds: number): number {
  return Math.floor(milliseconds / 60_000);
}
