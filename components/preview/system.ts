import { type Inputs, isUnknown, type PlannedChange, textIn } from "./plan";
import { secretChanges } from "./secrets";

/** What becomes of the system of a machine that takes it in place, in words. */
export interface SystemChange {
  system: string;
  /** What users of the service see while the machine takes it; undefined where it takes none. */
  service: string | undefined;
}

/** Measured in `npm run rehearse -- --boot --all`: see components/stack/day-two.md. */
const TOR_RESTARTS = "is away for about 4 to 6 seconds";
const REBOOTS = "a minute or two";

/** Parts of the guest, see `readGuest`. Of pages it is known that nothing restarts. */
const PARTS: Record<string, string> = { site: "pages (`nix/site/`)", "flake.lock": "packages (`nix/flake.lock`)" };
const REST = "the guest's configuration (`nix/`)";

interface KnownFacts {
  services?: Record<string, { secret?: string; clientAuthorization?: string[] }>;
  update?: { reboot?: string };
}

/** Undefined where each change is another machine. */
export function systemChange(changes: readonly PlannedChange[]): SystemChange | undefined {
  const closures = changes.filter(({ component }) => component === "sealed-onion:index:SystemClosure");
  const build = closures.find(({ kind, name }) => kind !== "delete" && name.endsWith("-build"));
  if (build === undefined) return undefined;
  if (build.kind === "create") return { system: "built, signed and uploaded for the first time", service: undefined };
  if (build.kind === "same") return { system: "unchanged", service: undefined };
  const parts = changedParts(build);
  const [before, after] = [factsOf(build, "old"), factsOf(build, "next")];
  const secrets = secretChanges(changes).filter(({ action }) => action !== "re-wrap");
  const areServicesOthers = after !== undefined && !isSame(before?.services, after.services);
  const reasons = [
    ...new Set(parts.map((part) => PARTS[part] ?? REST)),
    ...(after !== undefined && !isSame(before, after) ? ["facts about the stack (`facts.json`)"] : []),
    ...(build.changed.includes("environment.SEALED") && secretChanges(changes).length > 0 ? ["sealed secrets"] : []),
  ];
  const ofTor = secretsOfTor(before);
  const torRestarts = areServicesOthers || secrets.some(({ name }) => ofTor.includes(name));
  const why = reasons.length > 0 ? `, because of ${reasons.join(", ")}` : "";
  return {
    system: `built, signed and taken in place${why}; if it does not serve, the machine goes back by itself`,
    service: serviceWords(torRestarts, parts, after ?? before),
  };
}

/** What is not known before the system is built, is said as what it may be. */
function serviceWords(torRestarts: boolean, parts: readonly string[], facts: KnownFacts | undefined): string {
  const isOpen = parts.some((part) => part !== "site");
  if (!isOpen) return torRestarts ? `${TOR_RESTARTS}, as tor restarts` : "stays up";
  const tor = torRestarts
    ? `${TOR_RESTARTS}, as tor restarts`
    : `stays up; where tor or its settings change, it ${TOR_RESTARTS}`;
  const kernel = facts?.update?.reboot === "auto" ? `takes ${REBOOTS}` : "waits for a reboot";
  return `${tor}; another kernel ${kernel}`;
}

/** Names of the parts of the guest that are others. */
function changedParts(build: PlannedChange): string[] {
  if (!build.changed.includes("environment.NIX_DIGEST")) return [];
  const [before, after] = [partsOf(build, "old"), partsOf(build, "next")];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => before[name] !== after[name]);
  // A bit or the end of a link: no part says of which.
  return changed.length > 0 ? changed : ["rest"];
}

function partsOf(build: PlannedChange, side: "old" | "next"): Record<string, string> {
  return JSON.parse(textIn(build[side], "environment", "NIX_PARTS") ?? "{}") as Record<string, string>;
}

/** Undefined where a preview cannot know them yet. */
function factsOf(build: PlannedChange, side: "old" | "next"): KnownFacts | undefined {
  const { FACTS } = (build[side].environment ?? {}) as Inputs;
  return typeof FACTS !== "string" || isUnknown(FACTS) ? undefined : (JSON.parse(FACTS) as KnownFacts);
}

/** Secrets that tor reads. */
function secretsOfTor(facts: KnownFacts | undefined): string[] {
  const services = Object.values(facts?.services ?? {});
  return services.flatMap(({ clientAuthorization = [], secret }) => [secret ?? "", ...clientAuthorization]);
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
