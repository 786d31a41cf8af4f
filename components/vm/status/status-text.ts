import type { MachineStatus, ServiceStatus } from "./machine-status";
import type { Outside } from "./outside";
import type { Probe } from "./probe";
import type { Verdict } from "./verdict";

/** A machine's status, what to think of it, and what a visitor sees, where that was asked for. */
export interface Report {
  readonly stack: string;
  readonly status: MachineStatus;
  readonly verdict: Verdict;
  readonly probes: readonly Probe[];
  readonly outside: Outside;
}

/** For people: a few lines, the last one says what is wrong and what to type. */
export function reportText({ stack, status, verdict, probes, outside }: Report): string {
  const { disk, machine, memory, secrets, services, tor } = status;
  const lines = [
    ["stack", `${stack}, machine ${machine}, up ${duration(status.uptimeSeconds)}`],
    ["system", `${nameOf(status.system)}${status.rebootPending ? ", waits for a reboot" : ""}`],
    ["secrets", secrets.state === "active" ? "open" : `sealed: ${secrets.why ?? "being opened"}`],
    [
      "tor",
      [`${tor.state}, ${tor.version}`, ...(tor.guardsSince ? [`guards since ${tor.guardsSince}`] : [])].join(", "),
    ],
    ...Object.entries(services).map(([name, service]) => [name, serviceText(service)]),
    ...probes.map(({ hostname, seconds, problem }) => ["probe", problem ?? `${hostname} answered in ${seconds} s`]),
    [
      "free",
      `disk ${mib(disk.available)} of ${mib(disk.size)}, memory ${mib(memory.available)} of ${mib(memory.total)}`,
    ],
    ...updateLine(status),
    ["written", status.written],
    ...outsideLines(outside),
  ];
  const shown = lines.map(([name = "", text = ""]) => `${name.padEnd(10)} ${text}`);
  return [...shown, verdictText(verdict)].join("\n");
}

/** What Pulumi has and what Azure says, or why that is not known. */
export function outsideLines({ azure, wanted }: Outside): string[][] {
  const pulumi = "is" in wanted ? (wanted.is.split("/").at(-1) ?? "") : `not asked: ${wanted.not}`;
  if ("not" in azure)
    return [
      ["pulumi", pulumi],
      ["azure", `not asked: ${azure.not}`],
    ];
  const { console, power = "no such machine", provisioning } = azure.is;
  return [["pulumi", pulumi], ["azure", `${power}, ${provisioning}`], ...console.map((line) => ["console", line])];
}

function updateLine({ update }: MachineStatus): string[][] {
  if (update == null) return [];
  const { at, generation, outcome, why } = update;
  return [["update", `system ${generation} ${outcome} since ${at}${why === "" ? "" : `: ${why}`}`]];
}

export function verdictText({ problem, remedy, serving }: Verdict): string {
  const state = serving ? "it serves" : "it does not serve";
  if (problem === undefined) return state;
  return `${state}: ${problem}${remedy === undefined ? "" : `: ${remedy}`}`;
}

/** For programs: one line. */
export function reportJson({ stack, status, verdict, probes, outside }: Report): string {
  return JSON.stringify({ stack, ...verdict, probes, status, ...outside });
}

/** Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export function reportMetrics({ stack, status, verdict, probes, outside }: Report): string {
  const machine = { stack, machine: status.machine };
  const services = Object.entries(status.services);
  return [
    ...gauge("serving", "Whether every secret is open and every address published and answered.", [
      [machine, verdict.serving],
    ]),
    ...gauge("written_seconds", "When the machine wrote this, Unix time.", [
      [machine, Date.parse(status.written) / 1000],
    ]),
    ...gauge("secrets_open", "Whether the secrets are open.", [[machine, status.secrets.state === "active"]]),
    ...gauge("tor_running", "Whether tor runs.", [[machine, status.tor.state === "active"]]),
    ...gauge(
      "published",
      "Whether the network gives out what this machine published.",
      services.map(([service, { state }]) => [{ ...machine, service }, state === "own"]),
    ),
    ...gauge(
      "answered",
      "Whether somebody listens behind the address.",
      services.map(([service, { silent }]) => [{ ...machine, service }, silent === undefined]),
    ),
    ...gauge(
      "reachable",
      "Whether an address answered over Tor.",
      probes.map(({ hostname, problem }) => [{ ...machine, hostname }, problem === undefined]),
    ),
    ...gauge("reboot_pending", "Whether the kernel waits for a reboot.", [[machine, status.rebootPending]]),
    ...gauge("failed_units", "Units that have failed.", [[machine, status.failedUnits.length]]),
    ...gauge("disk_available_bytes", "Free on the disk.", [[machine, status.disk.available]]),
    ...gauge("memory_available_bytes", "Free memory.", [[machine, status.memory.available]]),
    ...gauge("disk_size_bytes", "The disk.", [[machine, status.disk.size]]),
    ...gauge("memory_total_bytes", "All memory.", [[machine, status.memory.total]]),
    ...gauge("guards_since_seconds", "Since when tor has its oldest guard, Unix time.", guards(status, machine)),
    ...gauge("azure_running", "Whether Azure says that the machine runs.", running(outside, machine)),
    ...gauge("uptime_seconds", "Since the machine has started.", [[machine, status.uptimeSeconds]]),
    "",
  ].join("\n");
}

function guards({ tor }: MachineStatus, labels: Sample[0]): Sample[] {
  return tor.guardsSince === undefined ? [] : [[labels, Date.parse(tor.guardsSince) / 1000]];
}

function running({ azure }: Outside, labels: Sample[0]): Sample[] {
  return "is" in azure ? [[labels, azure.is.power === "running"]] : [];
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: boolean | number];

function gauge(name: string, help: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  const metric = `sealed_onion_${name}`;
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    return `${metric}{${pairs.join(",")}} ${Number(value)}`;
  });
  return [`# HELP ${metric} ${help}`, `# TYPE ${metric} gauge`, ...lines];
}

function serviceText({ hostname, published, silent, state }: ServiceStatus): string {
  const words = { own: "published", other: "leads to another machine", waiting: "not found yet" }[state];
  const shown = [
    `${hostname} ${words}`,
    ...(published === null ? [] : [`at ${published}`]),
    ...(silent ? [silent] : []),
  ];
  return shown.join(", ");
}

function nameOf(storePath: string): string {
  return storePath.split("/").at(-1) ?? storePath;
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}
