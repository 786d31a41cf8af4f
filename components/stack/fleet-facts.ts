import { frontEndOf } from "../config/stack-folder";
import { frontEndMachine } from "../fleet/front-end-machine";
import { replicaKey } from "../fleet/replica-keys";
import type { StackConfig } from "./config";
import { type Deployed, type Facts, factsOf, type ReplicaFacts } from "./facts";

type Hostnames = Deployed["hostnames"];

/** Of one machine, which has all. */
export function machineFacts(config: StackConfig, deployed: Deployed): Facts {
  return config.fleet === undefined ? factsOf(config, deployed) : replicaFacts(config, deployed);
}

/** Of the replicas: declared is the first one, and each takes from its user data which one it is. */
function replicaFacts(config: StackConfig, deployed: Deployed): Facts {
  const facts = factsOf(config, deployed);
  const replicas = replicasOf(config, deployed.hostnames);
  const services = Object.entries(facts.services).map(([name, service]) => {
    const [first] = replicas[name] ?? [];
    return [name, { ...service, secret: first?.secret ?? service.secret }] as const;
  });
  return { ...facts, services: Object.fromEntries(services), replica: { services: replicas } };
}

/** Of the front end: the addresses' keys and nothing else of the stack's secrets. */
export function frontEndFacts(config: StackConfig, deployed: Deployed): Facts {
  const { secrets, services, sshHostKey: _, ...facts } = factsOf(frontEndConfig(config), deployed);
  const replicas = replicasOf(config, deployed.hostnames);
  const published = Object.entries(services).filter(([, { ssh }]) => !ssh); // each replica has ssh for itself
  const balanced = published.map(([name, { secret, hostname }]) => {
    const backends = (replicas[name] ?? []).map((replica) => replica.hostname);
    return [name, { secret, hostname, backends }] as const;
  });
  const { vaultAgent: __, ...own } = facts;
  return {
    ...own,
    stack: frontEndOf(config.stack),
    secrets,
    services: {},
    frontEnd: { of: config.stack, services: Object.fromEntries(balanced) },
  };
}

function frontEndConfig(config: StackConfig): StackConfig {
  const { fleet, machine } = config;
  return fleet === undefined ? config : { ...config, secrets: fleet.keys, machine: frontEndMachine(machine, fleet) };
}

function replicasOf({ fleet, services }: StackConfig, hostnames: Hostnames): ReplicaFacts["services"] {
  const numbers = Array.from({ length: fleet?.replicas ?? 0 }, (_, index) => index + 1);
  const entries = services.map(({ name, key }) => {
    const replicas = numbers.map((number) => {
      const secret = replicaKey(key, number);
      const hostname = hostnames[secret];
      if (hostname === undefined) throw new Error(`onion key ${secret} of service ${name} has no hostname`);
      return { secret, hostname };
    });
    return [name, replicas] as const;
  });
  return Object.fromEntries(entries);
}
