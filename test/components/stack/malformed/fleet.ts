import { type Malformed, ONION } from "./working";

const FLEET = { replicas: 3, authorization: "rbac" };
const service = (more: object) => ({ ...FLEET, services: { web: { key: "onion-key", ...more } } });
const allow = "FRIEND";

/** Dials of several machines behind one address that are refused. */
export const FLEET_DIALS: readonly Malformed[] = [
  ["no machine", { replicas: 0 }, "replicas must be a whole number from 1 to 8, got 0: set sealed-onion:replicas"],
  [
    "half a machine",
    { replicas: 1.5 },
    "replicas must be a whole number from 1 to 8, got 1.5: set sealed-onion:replicas",
  ],
  [
    "a word for machines",
    { replicas: "many" },
    'replicas must be a whole number from 1 to 8, got "many": set sealed-onion:replicas',
  ],
  [
    "more machines than an address leads to",
    { ...FLEET, replicas: 9 },
    "replicas must be a whole number from 1 to 8 (of 11 tor takes no descriptor, and nothing says so), got 9: set sealed-onion:replicas",
  ],
  [
    "so many that the address would be gone",
    { ...FLEET, replicas: 11 },
    "replicas must be a whole number from 1 to 8 (of 11 tor takes no descriptor, and nothing says so), got 11: set sealed-onion:replicas",
  ],
  [
    "a front end of one machine",
    { frontEnd: { replicas: 2 } },
    "frontEnd is for several replicas, and there is one: set sealed-onion:replicas, or remove it",
  ],
  [
    "three front ends",
    { ...FLEET, frontEnd: { replicas: 3 } },
    "frontEnd.replicas must be 1 or 2, got 3: set sealed-onion:frontEnd.replicas",
  ],
  [
    "a front end that has something else",
    { ...FLEET, frontEnd: { size: "Standard_B1s" } },
    'frontEnd has an unknown key "size", allowed are vmSize, replicas: remove it',
  ],
  [
    "a front end on an Arm processor",
    { ...FLEET, frontEnd: { vmSize: "Standard_B2pls_v2" } },
    'image.publish must be gallery for vmSize Standard_B2pls_v2, which has an Arm processor, got "managed": set sealed-onion:image.publish to gallery',
  ],
  [
    "another way to replace",
    { ...FLEET, rollout: "all" },
    'rollout must be newFirst or oneByOne, got "all": set sealed-onion:rollout',
  ],
  [
    "several machines with access policies",
    { replicas: 3 },
    "authorization is accessPolicy, by which every machine could open the address's key: several replicas need rights on one key each: set sealed-onion:authorization to rbac",
  ],
  [
    "several machines behind one gateway",
    { ...FLEET, outbound: "natGateway" },
    "outbound is natGateway, which is in one zone and takes all replicas down with it: set sealed-onion:outbound to publicIp",
  ],
  [
    "several machines that say nothing",
    { ...FLEET, status: false },
    "status is false, and a replica goes only once the next one says that it serves: set sealed-onion:status to true",
  ],
  [
    "several machines with a data disk",
    { ...FLEET, dataDisk: { sizeGib: 8 } },
    "dataDisk is a disk of one machine, and there would be several: set sealed-onion:dataDisk to {}",
  ],
  [
    "several machines of one disk",
    { ...FLEET, image: { vhd: "disk.vhd" } },
    "image.vhd is one disk, and replicas and their front end have one each: set sealed-onion:image.builder",
  ],
  [
    "several machines of a long name",
    { ...FLEET, stack: "a".repeat(21) },
    "the stack's name has 21 characters, with several replicas it may have 20: set sealed-onion:replicas to 1",
  ],
  [
    "client authorization at a balanced address",
    { ...service({ clientAuthorization: ["friend"] }), secrets: { ...ONION, friend: { source: { env: allow } } } },
    "services.web has clientAuthorization, and a front end cannot read the descriptors of replicas that have it: remove sealed-onion:services.web.clientAuthorization",
  ],
  [
    "ssh at a balanced address",
    { ...service({ ssh: true }), bootAgent: { sshKeys: true } },
    "services.web.ssh is true beside other ports, and would lead to any of the replicas, another one each time: remove sealed-onion:services.web.ssh, and give ssh a service of its own with ports {}",
  ],
  [
    "a port to sshd at a balanced address",
    service({ ports: { 80: "site", 2222: "127.0.0.1:22" } }),
    "services.web has a port that leads to sshd, of any of the replicas, another one each time: remove it from sealed-onion:services.web.ports, and give ssh a service of its own with ssh true and ports {}",
  ],
  [
    "proof of work at a balanced address",
    service({ proofOfWork: true }),
    "services.web.proofOfWork cannot be set: one machine has it on, and the descriptor of several machines' address does not say what a client has to prove: remove sealed-onion:services.web.proofOfWork",
  ],
  [
    "nothing but ssh on several machines",
    { ...service({ ssh: true, ports: {} }), bootAgent: { sshKeys: true } },
    "every service is ssh alone, which each replica has for itself: set sealed-onion:services.NAME.ports",
  ],
  [
    "a secret that is called like a replica's own key",
    { ...FLEET, secrets: { ...ONION, "onion-key-replica-2": { source: { env: "OTHER" } } } },
    "secret onion-key-replica-2 has the name of a replica's own key: rename it by sealed-onion:secrets.NAME.from",
  ],
];
