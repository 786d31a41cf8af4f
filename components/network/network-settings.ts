import { BlockList, isIPv4 } from "node:net";
import {
  at,
  boolean,
  choice,
  distinct,
  type Field,
  gather,
  list,
  malformed,
  mustBe,
  NAMESPACE,
  optional,
  record,
  structure,
} from "../config/fields";

const PUBLIC_ACCESS = ["on", "off"] as const;

/** In the place of a list: no firewall, which a production stack has to say. */
const EVERYBODY = "everybody";

/** Who reaches the stack's own vault and account, and how. Anyone who reaches them still needs a right there. */
export interface NetworkSettings {
  /** IPv4 networks in CIDR notation that come to the public endpoints, besides the machines' own subnet. @default none */
  readonly allow: readonly string[];
  /** Whether the machines reach vault and account by private endpoints in their network. @default false */
  readonly privateEndpoints: boolean;
  /** Whether there is a public endpoint at all. @default on; off where production is true and private endpoints are all there is */
  readonly publicAccess: (typeof PUBLIC_ACCESS)[number];
}

/**
 * Reads configuration key `network`.
 * @returns undefined where everybody reaches the public endpoints: nothing is set, or just that is said
 */
export function parseNetwork(field: Field, production: boolean): NetworkSettings | undefined {
  const keys = structure(field, ["allow", "privateEndpoints", "publicAccess"]);
  if (Object.keys(keys).length === 0) return undefined;
  const value = (key: string) => at(field.path, keys, key);
  if (value("allow").value === EVERYBODY) return openTo(field.path, keys);
  const { publicAccess: access, ...given } = gather({
    allow: () => optional(value("allow"), [], parseAllowed),
    privateEndpoints: () => optional(value("privateEndpoints"), false, boolean),
    publicAccess: () => optional(value("publicAccess"), undefined, (field) => choice(field, PUBLIC_ACCESS)),
  });
  const isAlone = given.privateEndpoints && given.allow.length === 0;
  const network = { ...given, publicAccess: access ?? (production && isAlone ? "off" : "on") };
  checkReach(field.path, network);
  return network;
}

/** Where nothing is closed, nothing else is to be said. */
function openTo(path: string, keys: object): undefined {
  const other = Object.keys(keys).find((key) => key !== "allow");
  if (other === undefined) return undefined;
  const problem = `${path}.allow is ${EVERYBODY}, which closes nothing, and ${path}.${other} is about what is closed`;
  throw malformed(problem, "remove one of them");
}

/**
 * Which addresses are somebody's own, only they know: a production stack says who reaches its vault and account, as any
 * default would either let in everybody or shut out the workstation that seals.
 * @throws MalformedError where nothing is said
 */
export function checkIsSaid({ path, value = {} }: Field): void {
  if (Object.keys(record({ path, value })).length > 0) return;
  const problem = `${path} must say who reaches vault and account where production is true, got nothing`;
  const set = (key: string) => `pulumi config set --path '${NAMESPACE}:${path}.${key}'`;
  throw malformed(problem, `type ${set("allow[0]")} YOUR-ADDRESS, or ${set("allow")} ${EVERYBODY}`);
}

/** What is closed to the public has to be open to the machines, and no address is let through a closed door. */
function checkReach(path: string, { allow, privateEndpoints, publicAccess }: NetworkSettings): void {
  if (publicAccess === "on") return;
  if (!privateEndpoints) {
    const problem = `${path}.publicAccess is off and ${path}.privateEndpoints is not true, so no machine would reach the vault`;
    throw malformed(problem, `set ${NAMESPACE}:${path}.privateEndpoints to true`);
  }
  if (allow.length === 0) return;
  const problem = `${path}.allow is about the public endpoints, which ${path}.publicAccess off closes`;
  throw malformed(problem, `remove one of them`);
}

/** Networks that no request from the internet comes from; Azure refuses them in a rule. */
const NOT_PUBLIC = new BlockList();
for (const network of [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.168.0.0/16", "224.0.0.0/3"],
]) {
  const [address = "", bits] = network.split("/");
  NOT_PUBLIC.addSubnet(address, Number(bits));
}

function parseAllowed(field: Field): string[] {
  const networks = list(field, `a list of IPv4 networks, such as ["198.51.100.0/24"], or ${EVERYBODY}`, parseCidr);
  return [...distinct(field, networks)];
}

/** `198.51.100.0/24`; an address alone stands for itself. */
function parseCidr(field: Field): string {
  if (field.value === "0.0.0.0/0")
    throw mustBe(field, "a part of the internet", `set ${NAMESPACE}:network.allow to ${EVERYBODY}`);
  const [, address = "", bits = "32"] = /^([\d.]+)(?:\/([1-9]|[12]\d|3[0-2]))?$/.exec(`${field.value}`) ?? [];
  if (typeof field.value !== "string" || !isIPv4(address)) {
    throw mustBe(field, 'an IPv4 network in CIDR notation, such as "198.51.100.0/24" or "198.51.100.7"');
  }
  const first = firstOf(address, Number(bits));
  if (first !== address) throw mustBe(field, `a network's first address and its size, such as ${first}/${bits}`);
  if (NOT_PUBLIC.check(address)) throw mustBe(field, "public addresses, as Azure sees them");
  return `${address}/${bits}`;
}

/** The first address of the network of that size that an address is in. */
function firstOf(address: string, bits: number): string {
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = number - (number % 2 ** (32 - bits));
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".");
}
