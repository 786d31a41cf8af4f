import { hasDataDisk } from "./data-disk";
import { isUnknown, type PlannedChange, textIn } from "./plan";
import { secretChanges } from "./secrets";
import { type SystemChange, systemChange } from "./system";

/** What happens to the image and the VM, in words. */
export interface MachineChange {
  image: string;
  /** Where the machine takes it in place. */
  system?: string;
  machine: string;
  /** What users of the service see: how long it is away, if at all. */
  service: string;
}

/** The new machine publishes the descriptor while the old one still serves; visits under way go with the old one. */
const REPLACED = "is away for seconds at most";
/** The old one is deleted, a new one is made and boots; nothing serves where Azure refuses the new one. */
const OLD_FIRST = "is away for about 4 to 7 minutes, and for longer if Azure refuses the new one";
/** Azure stops, moves and boots it; the descriptor is published again. */
const RESIZED = "is away for about 2 to 4 minutes";

const REASONS: Record<string, string> = {
  BUILDER: "another way to build it",
  FACTS: "facts about the stack (`facts.json`)",
  NIX_DIGEST: "the guest's configuration (`nix/`)",
  SEALED: "sealed secrets",
};

/** Where a thing is made in another place, and the old one goes, the new one counts. */
function find(changes: readonly PlannedChange[], type: string, name: RegExp): PlannedChange | undefined {
  const all = changes.filter((change) => change.type === type && name.test(change.name));
  return all.find(({ kind }) => kind !== "delete") ?? all[0];
}

/** From where to where the machine moves, if it does: its region, or its stack's name. */
function moveWords(changes: readonly PlannedChange[]): string | undefined {
  const machines = changes.filter(({ type }) => type === "azure-native:compute:VirtualMachine");
  const [made, gone] = ["create", "delete"].map((kind) => machines.find((machine) => machine.kind === kind));
  if (made === undefined || gone === undefined) return undefined;
  const [from, to] = [textIn(gone.old, "location"), textIn(made.next, "location")];
  return from === to ? "under the stack's new name" : `in ${to}, the old one is in ${from}`;
}

/** How a change comes from now on, if that is not how it came before: only where it is another image, that has facts. */
function otherWay({ next, old }: Pick<PlannedChange, "next" | "old">): "other machines" | "in place" | undefined {
  const [tookFacts, takesFacts] = [old, next].map((side) => "FACTS" in ((side.environment ?? {}) as object));
  if (tookFacts === takesFacts) return undefined;
  return takesFacts ? "other machines" : "in place";
}

/** What is known to change; of the sealed files a preview knows that they will, of the facts only what they will be. */
function buildReasons({ changed, next, old }: PlannedChange, secretsChange: boolean): string[] {
  const environment = next.environment as Record<string, unknown> | undefined;
  const way = otherWay({ next, old });
  if (way !== undefined) return [`updates, which are ${way} from now on`];
  const isReason = (name: string) => {
    if (!changed.includes(`environment.${name}`)) return false;
    return name === "SEALED" && secretsChange ? true : !isUnknown(environment?.[name]);
  };
  return Object.entries(REASONS).flatMap(([name, words]) => (isReason(name) ? [words] : []));
}

/** The new image's name, where it is known: what is yet to be sealed has no digest. */
function nameWords(changes: readonly PlannedChange[]): string {
  const image = find(changes, "azure-native:compute:Image", /./);
  const name = image && textIn(image.next, "imageName");
  return name === undefined ? "" : ` as \`${name}\``;
}

/** Whether `up` takes a disk that was built elsewhere. */
function isGiven(build: PlannedChange): boolean {
  return textIn(build.next, "environment", "BUILDER")?.startsWith("vhd:") === true;
}

function givenWords(changes: readonly PlannedChange[]): string {
  const image = find(changes, "azure-native:compute:Image", /./);
  if (image !== undefined && image.kind !== "same") return `taken from the disk of \`image.vhd\`${nameWords(changes)}`;
  return "not built by `up`: the disk of `image.vhd` is held against what is declared, and `up` stops there if it is older";
}

/** A disk that is given has the default of `update` with it, which surprises who has set nothing else. */
function givenWay(build: PlannedChange): string {
  const way = otherWay(build);
  const why =
    way === "other machines" ? ", the default with `image.vhd`: set `sealed-onion:update` to keep them in place" : "";
  return way === undefined ? "" : `; updates are ${way} from now on${why}`;
}

function imageWords(changes: readonly PlannedChange[]): string {
  const ofImage = changes.filter(({ component }) => component === "sealed-onion:index:NixosImage");
  const build = find(ofImage, "command:local:Command", /-build$/);
  if (build === undefined || build.kind === "same") return "unchanged: neither built nor uploaded";
  if (build.kind === "create") return "built, uploaded and published for the first time";
  if (build.kind === "delete") return "goes";
  if (isGiven(build)) return `${givenWords(changes)}${givenWay(build)}`;
  const reasons = buildReasons(build, secretChanges(changes).length > 0);
  const why = reasons.length > 0 ? `, because of ${reasons.join(", ")}` : "";
  return `built, uploaded and published again${nameWords(changes)}${why}`;
}

/** Change with every replacement: they are its consequence. */
const OWN_NAMES = ["vmName", "networkProfile.networkInterfaces"];

/** What has its own words; the rest is named by its path. */
function replaceReasons(machine: PlannedChange): string {
  const size = sizeWords(machine);
  const isImage = (path: string) => path.startsWith("storageProfile.imageReference");
  const isOwnName = (path: string) => OWN_NAMES.some((name) => path.startsWith(name));
  const others = machine.changed.filter(
    (path) => !isImage(path) && !isOwnName(path) && !(size && path === "hardwareProfile.vmSize"),
  );
  const reasons = [
    ...(machine.changed.some(isImage) ? ["another image"] : []),
    ...(size ? [`another size (${size})`] : []),
    ...others.map((path) => `\`${path}\``),
  ];
  return reasons.join(", ") || "a change that Azure refuses in place";
}

/** Undefined where the size stays. */
function sizeWords({ old, next }: PlannedChange): string | undefined {
  const [from, to] = [textIn(old, "hardwareProfile", "vmSize"), textIn(next, "hardwareProfile", "vmSize")];
  return from === to ? undefined : `${from} → ${to}`;
}

function updateWords(machine: PlannedChange, system: SystemChange | undefined): Omit<MachineChange, "image"> {
  const size = sizeWords(machine);
  if (size) return { machine: `resized, with a restart: ${size}`, service: RESIZED };
  if (system?.service !== undefined && machine.changed.every((path) => path === "userData"))
    return { machine: "keeps running, and takes the new system", service: system.service };
  return {
    machine: `changed in place: ${machine.changed.map((path) => `\`${path}\``).join(", ")}`,
    service: system?.service ?? "stays up",
  };
}

function machineWords(
  machine: PlannedChange | undefined,
  system: SystemChange | undefined,
): Omit<MachineChange, "image"> {
  if (machine === undefined || machine.kind === "same") return { machine: "unchanged", service: "stays up" };
  if (machine.kind === "create") return { machine: "made", service: "starts" };
  if (machine.kind === "delete") return { machine: "goes, and with it the service", service: "ends" };
  if (machine.kind === "update") return updateWords(machine, system);
  const why = `replaced, because of ${replaceReasons(machine)}`;
  if (hasDataDisk(machine)) {
    return { machine: `${why}: the old one goes first, as the data disk belongs to one machine`, service: OLD_FIRST };
  }
  return { machine: `${why}: the new one is made first`, service: REPLACED };
}

export function machineChange(changes: readonly PlannedChange[]): MachineChange {
  const move = moveWords(changes);
  const system = systemChange(changes);
  const image = { image: imageWords(changes), ...(system && { system: system.system }) };
  if (move !== undefined) {
    return { ...image, machine: `another one is made ${move} and goes last`, service: `moves: it ${REPLACED}` };
  }
  return { ...image, ...machineWords(find(changes, "azure-native:compute:VirtualMachine", /./), system) };
}
