import {
  at,
  boolean,
  distinct,
  type Field,
  gather,
  list,
  malformed,
  map,
  mustBe,
  NAMESPACE,
  optional,
  record,
  shown,
  structure,
} from "../config/fields";
import { nearest } from "../config/nearest";
import { DEFAULTS, FIRST_SITE_PORT, follows, ruled, VAULT_AGENT_LISTENER } from "../config/rules";
import { checkName, type SecretDeclaration, type SecretName } from "../secrets/secret";

/** What answers on a port of an onion service: `site` (the static site of `nix/site`), `127.0.0.1:PORT` or `unix:PATH`. */
export type ServiceTarget = string;

/** One onion service that the VM runs. */
export interface ServiceDeclaration {
  readonly name: string;
  /** The secret that holds its onion key. */
  readonly key: SecretName;
  /** Port of the onion address -> what answers there. */
  readonly ports: Readonly<Record<string, ServiceTarget>>;
  /** Secrets that hold the clients' public keys (`descriptor:x25519:…`); none lets everybody in. */
  readonly clientAuthorization: readonly SecretName[];
  /** Whether the operator reaches SSH over port 22 of this address. */
  readonly ssh: boolean;
}

const DEFAULT_PORTS: Readonly<Record<string, ServiceTarget>> = DEFAULTS.service.ports;

/** Where SSH listens on the VM: an onion service must not offer it as if it were something else. */
const SSH_PORT = "22";

/**
 * Reads configuration key `services`. Where none is declared, every onion key gets a service of its name that shows the
 * static site on port 80.
 */
export function parseServices(field: Field, secrets: readonly SecretDeclaration[]): ServiceDeclaration[] {
  const onionKeys = secrets.filter(({ kind }) => kind === "onion").map(({ name }) => name);
  if (onionKeys.length === 0) {
    const problem = "secrets hold no onion key";
    throw malformed(problem, `type pulumi config set --path '${NAMESPACE}:secrets.onion-key.source.onion.prefix' ''`);
  }
  if (field.value === undefined) return onionKeys.map(defaultService);
  const services = map(field, "a map of onion services by name", (name, item) => {
    return parseService(name, item, secrets);
  });
  if (services.length === 0) return onionKeys.map(defaultService);
  checkKeys(services);
  checkTargets(services);
  return services;
}

function defaultService(name: SecretName): ServiceDeclaration {
  return { name, key: name, ports: DEFAULT_PORTS, clientAuthorization: [], ssh: false };
}

function parseService(name: string, field: Field, secrets: readonly SecretDeclaration[]): ServiceDeclaration {
  checkName("service's name", name, `${NAMESPACE}:services`);
  refuseProofOfWork(field);
  const keys = structure(field, ["key", "ports", "clientAuthorization", "ssh"]);
  const value = (key: string) => at(field.path, keys, key);
  const onionKeys = secrets.filter(({ kind }) => kind === "onion").map((secret) => secret.name);
  const others = secrets.filter(({ kind }) => kind !== "onion").map((secret) => secret.name);
  const clients = value("clientAuthorization");
  const service = gather({
    key: () => reference(value("key"), "a secret with an onion key", onionKeys),
    ports: () => optional(value("ports"), DEFAULT_PORTS, parsePorts),
    clientAuthorization: () =>
      optional(clients, [], (field) =>
        distinct(
          field,
          list(field, "a list of secrets", (item) => reference(item, "a secret other than an onion key", others)),
        ),
      ),
    ssh: () => optional(value("ssh"), false, boolean),
  });
  if (service.ssh && service.ports[SSH_PORT] !== undefined) {
    const problem = `${field.path} offers SSH and "${service.ports[SSH_PORT]}" on port ${SSH_PORT}`;
    throw malformed(problem, `remove ${NAMESPACE}:${field.path}.ports.${SSH_PORT}`);
  }
  if (!service.ssh && Object.keys(service.ports).length === 0) throw mustBe(value("ports"), "at least one port");
  return { name, ...service };
}

/** An option of the guest's module, so somebody may look for it here: one line says why it is no configuration key. */
function refuseProofOfWork(field: Field): void {
  const key = "proofOfWork";
  if (record(field)[key] === undefined) return;
  const problem = `${field.path}.${key} cannot be set: one machine has it on, and the descriptor of several machines' address does not say what a client has to prove`;
  throw malformed(problem, `remove ${NAMESPACE}:${field.path}.${key}`);
}

/** The name of a declared secret of the right sort. */
function reference(field: Field, allowed: string, names: readonly SecretName[]): SecretName {
  const found = names.find((name) => name === field.value);
  if (found !== undefined) return found;
  const near = typeof field.value === "string" ? nearest(field.value, names) : undefined;
  const choices = names.length > 0 ? `${allowed} (${names.join(", ")})` : `${allowed}, of which there is none`;
  throw mustBe(field, choices, near && `did you mean "${near}"`);
}

function parsePorts(field: Field): Record<string, ServiceTarget> {
  const read = (port: string, target: Field) => [port, parseTarget(port, target, field.path)] as const;
  return Object.fromEntries(map(field, "a map of ports", read));
}

function parseTarget(port: string, target: Field, path: string): ServiceTarget {
  if (!follows("port", port)) {
    throw malformed(`${path} must have ports from 1 to 65535, got ${shown(port)}`, `set ${NAMESPACE}:${path}.80`);
  }
  return ruled(target, "target");
}

/**
 * What listens on the VM for itself and no visitor: the sites' web servers, which show one site to every visitor, and Vault
 * Agent, which answers with the VM's own token.
 */
function checkTargets(services: readonly ServiceDeclaration[]): void {
  const sites = services.filter(({ ports }) => Object.values(ports).includes("site"));
  const taken = new Map([[VAULT_AGENT_LISTENER, "Vault's agent"]]);
  for (const index of sites.keys()) taken.set(`127.0.0.1:${FIRST_SITE_PORT + index}`, "a static site");
  for (const { name, ports } of services) {
    for (const [port, target] of Object.entries(ports)) {
      const owner = taken.get(target);
      if (owner === undefined) continue;
      const path = `services.${name}.ports.${port}`;
      throw malformed(
        `${path} is "${target}", the port of ${owner}`,
        `set ${NAMESPACE}:${path} to another port, or to site`,
      );
    }
  }
}

/** Two services with one key would be two services at one address. */
function checkKeys(services: readonly ServiceDeclaration[]): void {
  for (const [index, { name, key }] of services.entries()) {
    const other = services.slice(0, index).find((service) => service.key === key);
    if (other === undefined) continue;
    const problem = `services ${other.name} and ${name} share the onion key ${key}, so they would share one address`;
    throw malformed(problem, `set ${NAMESPACE}:services.${name}.key`);
  }
}
