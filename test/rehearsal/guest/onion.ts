import * as path from "node:path";
import type { Facts, ServiceFacts } from "../../../components/stack/facts";
import type { EvaluatedGuest, TorSettings } from "./evaluated";

/** What the guest's modules make of one onion service. */
export interface GuestOnion {
  readonly name: string;
  readonly hostname: string;
  /** Where the opened key lies. */
  readonly keyFile: string;
  /** Tor's folder of the service. */
  readonly folder: string;
  /** The secrets that tell who may find the service, with their files. @default everybody */
  readonly clients: readonly (readonly [name: string, file: string])[];
  /** Its part of the torrc, below `HiddenServiceDir`. */
  readonly settings: TorSettings;
}

/** Where the web server of a service's site listens, `ADDRESS:PORT`. `index`: its place among the services with one. */
type SiteAddress = (index: number) => string;

/**
 * The onion services that the guest's modules render for a stack: the evaluated one, with this stack's keys and ports in
 * the place of the example's. What is set for the example's is set for every service of a stack.
 * @param siteAddress @default as evaluated: one loopback port after the other
 */
export function onionServicesOf(facts: Facts, evaluated: EvaluatedGuest, siteAddress?: SiteAddress): GuestOnion[] {
  const [example] = Object.values(evaluated.tor.services);
  if (!example) throw new Error("the evaluated guest has no onion service: run npm run check:nix -- --update");
  const pathOf = (secret: string) => facts.secrets[secret]?.path ?? `/run/secrets/${secret}`;
  const services = Object.entries(facts.services).sort(([left], [right]) => (left < right ? -1 : 1));
  const withSite = services.filter(([, { ports }]) => Object.values(ports).includes("site")).map(([name]) => name);
  const addressOf = siteAddress ?? evaluatedAddress(evaluated);
  return services.map(([name, service]) => ({
    name,
    hostname: service.hostname,
    keyFile: pathOf(service.secret),
    folder: path.join(path.dirname(example.path), name),
    clients: service.clientAuthorization.map((secret) => [secret, pathOf(secret)] as const),
    settings: { ...example.settings, HiddenServicePort: portsOf(service, addressOf(withSite.indexOf(name))) },
  }));
}

/** The sites' web servers are called with an address, and each with a port of its own. */
function evaluatedAddress({ sites }: EvaluatedGuest): SiteAddress {
  const [webServer = []] = Object.values(sites);
  const argument = (name: string) => webServer[webServer.indexOf(name) + 1];
  return (index) => `${argument("--addr")}:${Number(argument("--port")) + index}`;
}

function portsOf({ ports, ssh }: ServiceFacts, siteAddress: string): string[] {
  const all: Record<string, string> = { ...ports, ...(ssh ? { 22: "127.0.0.1:22" } : {}) };
  const lines = Object.entries(all).map(([port, target]) => `${port} ${target === "site" ? siteAddress : target}`);
  return lines.sort(); // as Nix orders names
}

/** What nix/scripts/prepare-onion-key.sh is called with. */
export function preparation({ name, keyFile, hostname, folder, clients }: GuestOnion): string[] {
  return [name, keyFile, hostname, folder, ...clients.flat()];
}

/** The same service for a VM that is rehearsed: its paths moved below `root`. */
export function onionBelow(root: string, onion: GuestOnion): GuestOnion {
  const move = (file: string) => path.join(root, file);
  const clients = onion.clients.map(([name, file]) => [name, move(file)] as const);
  return { ...onion, keyFile: move(onion.keyFile), folder: move(onion.folder), clients };
}
