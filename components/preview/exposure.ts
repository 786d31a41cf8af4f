import { type Inputs, isUnknown, type PlannedChange, shortKey, textIn } from "./plan";

/** Who reaches what, before and after: what a reviewer has to agree to first. Undefined: not there. */
export interface Exposure {
  readonly what: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The guest's facts, as far as they say who reaches what. See `Facts` of the stack's room. */
interface KnownFacts {
  vault?: { uri?: string; keyUrl?: string };
  services?: Record<
    string,
    { hostname?: string; ports?: Record<string, string>; clientAuthorization?: string[]; ssh?: boolean }
  >;
  secrets?: Record<string, { path?: string; owner?: string; group?: string; mode?: string }>;
  guest?: { adminUser?: string; bootAgent?: { sshKeys?: boolean } };
  vaultAgent?: { address?: string; role?: string };
}

type Side = "old" | "next";
type Rows = readonly (readonly [what: string, value: string | undefined])[];

const onOff = (value: boolean | undefined) => (value ? "on" : "off");

function serviceRows(services: NonNullable<KnownFacts["services"]>): Rows {
  return Object.entries(services).flatMap(([name, { hostname, ports = {}, clientAuthorization = [], ssh }]) => [
    [`address of \`${name}\``, hostname],
    ...Object.entries(ports).map(([port, target]) => [`\`${name}\`, port ${port}`, target] as const),
    [`who may visit \`${name}\``, clientAuthorization.join(", ") || "everybody with its address"],
    [`\`${name}\`, ssh`, onOff(ssh)],
  ]);
}

function factRows({ vault, services = {}, secrets = {}, guest, vaultAgent }: KnownFacts): Rows {
  return [
    ["vault", vault?.uri],
    ["key", vault?.keyUrl],
    ...serviceRows(services),
    ["operator", guest?.adminUser],
    ["operator's keys from Azure", onOff(guest?.bootAgent?.sshKeys)],
    ...Object.entries(secrets).map(
      ([name, { path, owner, group, mode }]) =>
        [`who reads secret \`${name}\` on the machine`, `${owner}:${group} ${mode}, ${path}`] as const,
    ),
    ["login at HashiCorp Vault", vaultAgent && `${vaultAgent.address}, role ${vaultAgent.role}`],
  ];
}

function factsText({ type, ...change }: PlannedChange, side: Side): unknown {
  const environment = change[side].environment as Inputs | undefined;
  return type === "command:local:Command" ? environment?.FACTS : undefined;
}

function factsRows(change: PlannedChange, side: Side): Rows {
  const text = factsText(change, side);
  if (typeof text !== "string" || isUnknown(text)) return [];
  return factRows(JSON.parse(text) as KnownFacts);
}

/** The operator's SSH keys, as Azure gives them to the machine. */
function loginRows({ type, ...change }: PlannedChange, side: Side): Rows {
  const keys = (change[side].osProfile as Inputs | undefined)?.linuxConfiguration as
    | { ssh?: { publicKeys?: { keyData?: string }[] } }
    | undefined;
  if (type !== "azure-native:compute:VirtualMachine" || keys === undefined) return [];
  const named = (keys.ssh?.publicKeys ?? []).map(({ keyData = "" }) => `\`${shortKey(keyData)}\``);
  return [["SSH keys of the operator", named.join(", ")]];
}

/** Rights on the vault's key and on blobs, by object id; the machine's own is not known before it is made. */
function rightRows({ type, name, ...change }: PlannedChange, side: Side): Rows {
  const inputs = change[side];
  if (type === "azure-native:keyvault:AccessPolicy") {
    const { policy } = inputs as { policy?: { objectId?: string; permissions?: { keys?: string[] } } };
    return policy === undefined
      ? []
      : [[`rights of ${holder(policy.objectId, name)} on the key`, policy.permissions?.keys?.join(", ")]];
  }
  if (type !== "azure-native:authorization:RoleAssignment" || inputs.principalId === undefined) return [];
  const role = textIn(inputs, "roleDefinitionId")?.split("/").at(-1);
  const where = name.endsWith("-blobs") ? "on its images" : "by role";
  return [
    [`rights of ${holder(textIn(inputs, "principalId"), name)} ${where}`, role ?? "a role that is yet to be made"],
  ];
}

function holder(objectId: string | undefined, name: string): string {
  if (name.includes("-machine-")) return "the machine";
  return objectId === undefined || isUnknown(objectId) ? "somebody not known yet" : `\`${objectId}\``;
}

function rowsOf(changes: readonly PlannedChange[], side: Side): Map<string, string | undefined> {
  const isThere = ({ kind }: PlannedChange) => kind !== (side === "old" ? "create" : "delete");
  const found = changes
    .filter(isThere)
    .flatMap((change) => [...factsRows(change, side), ...loginRows(change, side), ...rightRows(change, side)]);
  return new Map(found);
}

/** Whether facts change to something that only the update will know: addresses, keys and ports cannot be compared. */
export function factsUnknown(changes: readonly PlannedChange[]): boolean {
  return changes.some((change) => change.kind !== "delete" && isUnknown(factsText(change, "next")));
}

/** What changes in who reaches what, in the order in which a reviewer should look. */
export function exposures(changes: readonly PlannedChange[]): Exposure[] {
  const [before, after] = [rowsOf(changes, "old"), rowsOf(changes, "next")];
  const isHidden = factsUnknown(changes);
  const facts = new Set(changes.flatMap((change) => factsRows(change, "old").map(([what]) => what)));
  const all = [...new Set([...before.keys(), ...after.keys()])].filter((what) => !(isHidden && facts.has(what)));
  const rows = all.map((what) => ({ what, before: before.get(what), after: after.get(what) }));
  return rows.filter((row) => row.before !== row.after);
}
