import {
  at,
  choice,
  type Field,
  gather,
  MalformedError,
  mustBe,
  NAMESPACE,
  optional,
  structure,
} from "../config/fields";
import { parseVmSize } from "../vm/vm-size";
import { replicaKeysOf } from "./replica-keys";

const ROLLOUTS = ["newFirst", "oneByOne"] as const;

/**
 * More would do no harm up to 10: of 11 machines' introduction points, two each, tor takes no descriptor at all, and the
 * address is gone without a word. Onionbalance's own documents say 8.
 */
const MOST_REPLICAS = 8;

/** The dials of several machines behind one onion address. */
export interface FleetSettings {
  /** 2 to 8. */
  readonly replicas: number;
  readonly frontEnd: {
    /** @default Standard_B1s */
    readonly vmSize: string;
    /** Machines that publish, side by side. @default 1 */
    readonly replicas: 1 | 2;
  };
  /**
   * How machines are replaced: all new ones serve before the first old one goes, which takes quota for twice as many; or
   * each goes before its successor is made. @default newFirst
   */
  readonly rollout: (typeof ROLLOUTS)[number];
}

export const DEFAULT_FRONT_END = { vmSize: "Standard_B1s", replicas: 1 } as const;

/** Reads the keys `replicas`, `frontEnd` and `rollout`; undefined for one machine, of which the others are refused. */
export function parseFleet(value: (key: string) => Field): FleetSettings | undefined {
  const replicas = parseReplicas(value("replicas"));
  if (replicas === 1) return refuseWithoutFleet(["frontEnd", "rollout"].map(value));
  return gather<FleetSettings>({
    replicas: () => replicas,
    frontEnd: () => optional(value("frontEnd"), DEFAULT_FRONT_END, parseFrontEnd),
    rollout: () => optional(value("rollout"), "newFirst", (field) => choice(field, ROLLOUTS)),
  });
}

function parseReplicas(field: Field): number {
  const { value = 1 } = field;
  const isWhole = typeof value === "number" && Number.isInteger(value);
  if (isWhole && value >= 1 && value <= MOST_REPLICAS) return value;
  const why = isWhole && value > MOST_REPLICAS ? " (of 11 tor takes no descriptor, and nothing says so)" : "";
  throw mustBe(field, `a whole number from 1 to ${MOST_REPLICAS}${why}`);
}

function refuseWithoutFleet(fields: readonly Field[]): undefined {
  const given = fields.filter(({ value }) => value !== undefined && !isEmpty(value));
  if (given.length === 0) return undefined;
  const problems = given.map(
    ({ path }) => `${path} is for several replicas, and there is one: set ${NAMESPACE}:replicas, or remove it`,
  );
  throw new MalformedError(problems);
}

/** As the list of dials has it for "not set". */
function isEmpty(value: unknown): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

function parseFrontEnd(field: Field): FleetSettings["frontEnd"] {
  const keys = structure(field, Object.keys(DEFAULT_FRONT_END));
  const { vmSize, replicas } = DEFAULT_FRONT_END;
  return gather<FleetSettings["frontEnd"]>({
    vmSize: () => optional(at(field.path, keys, "vmSize"), vmSize, (size) => parseVmSize(size, false)),
    replicas: () => optional(at(field.path, keys, "replicas"), replicas, (count) => choice(count, [1, 2] as const)),
  });
}

/** What else of a configuration decides whether it can have several machines. */
export interface OtherSettings {
  readonly stack: string;
  readonly replicas: number;
  readonly secrets: readonly { readonly name: string }[];
  readonly authorization: string;
  readonly outbound: string;
  readonly status: boolean;
  readonly vhd: string | undefined;
  readonly ephemeralOsDisk: boolean;
  readonly dataDisk: object | undefined;
  readonly services: readonly {
    readonly name: string;
    readonly key: string;
    readonly ports: Readonly<Record<string, string>>;
    readonly ssh: boolean;
    readonly clientAuthorization: readonly string[];
  }[];
}

/** `-front-end` and `-replica-8`: what the longest names here get. */
const LONGEST = { stack: 20, key: 30 };

/** @throws MalformedError with a line for each thing that a balanced address cannot have, and why */
export function checkFleet(settings: OtherSettings): void {
  const { authorization, dataDisk, ephemeralOsDisk, outbound, services, stack, status, vhd } = settings;
  const refused: [boolean, string, string][] = [
    [
      authorization !== "rbac",
      `authorization is ${authorization}, by which every machine could open the address's key: several replicas need rights on one key each`,
      "authorization to rbac",
    ],
    [
      outbound === "natGateway",
      "outbound is natGateway, which is in one zone and takes all replicas down with it",
      "outbound to publicIp",
    ],
    [!status, "status is false, and a replica goes only once the next one says that it serves", "status to true"],
    [vhd !== undefined, "image.vhd is one disk, and replicas and their front end have one each", "image.builder"],
    [
      ephemeralOsDisk,
      "ephemeralOsDisk is true, which the front end's size has no room for",
      "ephemeralOsDisk to false",
    ],
    [dataDisk !== undefined, "dataDisk is a disk of one machine, and there would be several", "dataDisk to {}"],
    [
      stack.length > LONGEST.stack,
      `the stack's name has ${stack.length} characters, with several replicas it may have ${LONGEST.stack}`,
      "replicas to 1",
    ],
  ];
  const problems = refused.filter(([is]) => is).map(([, problem, remedy]) => `${problem}: set ${NAMESPACE}:${remedy}`);
  if (services.every(({ ports, ssh }) => ssh && Object.keys(ports).length === 0)) {
    problems.push(
      `every service is ssh alone, which each replica has for itself: set ${NAMESPACE}:services.NAME.ports`,
    );
  }
  throwIfAny([...problems, ...services.flatMap(serviceProblems), ...takenNames(settings)]);
}

/** Each replica's key has a name, which nothing else may have. */
function takenNames({ replicas, secrets, services }: OtherSettings): string[] {
  const keys = replicaKeysOf(
    services.map(({ key }) => key),
    replicas,
  );
  const taken = secrets.filter(({ name }) => keys.includes(name));
  return taken.map(
    ({ name }) => `secret ${name} has the name of a replica's own key: rename it by ${NAMESPACE}:secrets.NAME.from`,
  );
}

/** sshd's own, by whatever port of the address. */
const SSHD = /^127\.0\.0\.1:22$/;

function serviceProblems(service: OtherSettings["services"][number]): string[] {
  const { name, key, ssh, clientAuthorization } = service;
  const ports = Object.values(service.ports);
  const path = `services.${name}`;
  const refused: [boolean, string, string][] = [
    [
      clientAuthorization.length > 0 && !ssh,
      `${path} has clientAuthorization, and a front end cannot read the descriptors of replicas that have it`,
      `remove ${NAMESPACE}:${path}.clientAuthorization`,
    ],
    [
      ssh && ports.length > 0,
      `${path}.ssh is true beside other ports, and would lead to any of the replicas, another one each time`,
      `remove ${NAMESPACE}:${path}.ssh, and give ssh a service of its own with ports {}`,
    ],
    [
      !ssh && ports.some((target) => SSHD.test(target)),
      `${path} has a port that leads to sshd, of any of the replicas, another one each time`,
      `remove it from ${NAMESPACE}:${path}.ports, and give ssh a service of its own with ssh true and ports {}`,
    ],
    [
      key.length > LONGEST.key,
      `onion key ${key} has a name of ${key.length} characters, with several replicas it may have ${LONGEST.key}`,
      `rename it by ${NAMESPACE}:secrets.NAME.from`,
    ],
  ];
  return refused.filter(([is]) => is).map(([, problem, remedy]) => `${problem}: ${remedy}`);
}

function throwIfAny(problems: readonly string[]): void {
  if (problems.length > 0) throw new MalformedError(problems);
}
