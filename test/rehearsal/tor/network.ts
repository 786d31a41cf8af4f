import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { authorityLines, type VotingIntervals, voteNow, writeAuthorityKeys } from "./authority";
import { newTorIdentity, type TorIdentity } from "./identity";
import { startTor, type TorProcess } from "./process";

export interface TorNetworkOptions {
  /** A folder of the caller's, on any file system, with a short path (unix sockets); the caller removes it. */
  directory: string;
  /** @default "tor", from PATH */
  tor?: string;
  /** @default "tor-gencert", from PATH */
  gencert?: string;
  /** Relays beside the authority: three work, with less margin than four; fewer never do. @default 4 */
  relays?: number;
  /** Long, so that no vote is held while pages are fetched: one in the midst loses some. @default 300 s, both */
  voting?: VotingIntervals;
  /** Where authority and relays listen. @default 127.0.0.1 */
  address?: string;
  /** Milliseconds until it gives up. @default 90000 */
  deadlineMs?: number;
}

export interface TorClient {
  /** On 127.0.0.1. */
  readonly socksPort: number;
  readonly process: TorProcess;
}

/** A private Tor network on loopback: a directory authority, relays and a client. Nothing leaves the machine. */
export interface TorNetwork {
  tor: string;
  directory: string;
  client: TorClient;
  /** The torrc lines by which any other tor joins this network. */
  onionServiceTorrc(): string[];
  /** Ends every tor of the network. May be called more than once. */
  close(): Promise<void>;
}

const DEFAULT_VOTING: VotingIntervals = { first: 300, later: 300 };
const PORT_ATTEMPTS = 3;

interface Relay {
  name: string;
  directory: string;
  identity: TorIdentity;
}

interface Plan {
  address: string;
  authority: Relay;
  others: Relay[];
  intervals: VotingIntervals;
  /** What the authority certifies by, and what it signs with. */
  voting: { identity: TorIdentity; signing: TorIdentity };
}

/** Starts one tor of the network. */
type Launch = (name: string, lines: string[]) => Promise<TorProcess>;

/** Starts the network; it is ready when this resolves (8 to 10 seconds on two cores). */
export async function startTorNetwork(options: TorNetworkOptions): Promise<TorNetwork> {
  const deadline = Date.now() + (options.deadlineMs ?? 90_000);
  const plan = await planNetwork(options);
  for (let attempt = 1; ; attempt++) {
    const running: TorProcess[] = [];
    try {
      return await start(options, plan, running, deadline);
    } catch (error) {
      await closeAll(running);
      const portTaken = error instanceof Error && /Address already in use/.test(error.message);
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function planNetwork({
  directory,
  address = "127.0.0.1",
  relays = 4,
  voting = DEFAULT_VOTING,
}: TorNetworkOptions): Promise<Plan> {
  const names = Array.from({ length: relays }, (_, index) => `relay${index + 1}`);
  const [identity, signing, authority, ...others] = await Promise.all([
    newTorIdentity(2048),
    newTorIdentity(2048),
    planRelay(directory, "authority"),
    ...names.map((name) => planRelay(directory, name)),
  ]);
  return { address, authority, others, intervals: voting, voting: { identity, signing } };
}

/** Makes a relay's folder with its identity key in it. */
async function planRelay(parent: string, name: string): Promise<Relay> {
  const directory = path.join(parent, name);
  const identity = await newTorIdentity(1024);
  fs.mkdirSync(path.join(directory, "keys"), { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(directory, "keys", "secret_id_key"), identity.pem, { mode: 0o600 });
  return { name, directory, identity };
}

/** @param running gets every tor that started, also if this fails */
async function start(
  options: TorNetworkOptions,
  plan: Plan,
  running: TorProcess[],
  deadline: number,
): Promise<TorNetwork> {
  const { directory, tor = "tor", gencert = "tor-gencert" } = options;
  const [orPort, dirPort] = await freePorts();
  const network = networkLines(plan, orPort, dirPort);
  const launch: Launch = async (name, lines) => {
    const started = await startTor(tor, path.join(directory, name), [...network, ...lines]);
    running.push(started);
    return started;
  };
  await writeAuthorityKeys(
    gencert,
    plan.authority.directory,
    `${plan.address}:${dirPort}`,
    plan.voting.identity,
    plan.voting.signing,
  );
  const authority = await launchRelays(plan, orPort, dirPort, launch);
  const identities = [plan.authority, ...plan.others].map((relay) => relay.identity);
  const voted = voteNow(authority.control, identities, plan.intervals, deadline);
  await Promise.race([voted, ...running.map((one) => one.exited)]);
  const shared = { tor, directory, onionServiceTorrc: () => [...network] };
  const client = await startTorClient(shared, "client");
  running.push(client.process);
  return { ...shared, client, close: () => closeAll(running) };
}

/** A client of the network: a tor of its own, in a folder of that name beside the others'. */
export async function startTorClient(
  { tor, directory, onionServiceTorrc }: Pick<TorNetwork, "tor" | "directory" | "onionServiceTorrc">,
  name: string,
  torrc: readonly string[] = [],
): Promise<TorClient> {
  const lines = [...onionServiceTorrc(), "SocksPort 127.0.0.1:auto", ...torrc];
  const started = await startTor(tor, path.join(directory, name), lines);
  return { socksPort: portOf(await started.control.ask("GETINFO net/listeners/socks")), process: started };
}

/** Starts the authority and the other relays, all at once. @returns the authority, when all have started */
async function launchRelays(plan: Plan, orPort: number, dirPort: number, launch: Launch): Promise<TorProcess> {
  const { address, authority, others } = plan;
  const guards = others.map((relay) => relay.identity.fingerprint);
  const voting = authorityLines(`${address}:${dirPort}`, guards, plan.intervals);
  const first = launch(authority.name, [...relayLines(authority.name, `${address}:${orPort}`), ...voting]);
  const starting = [first, ...others.map(({ name }) => launch(name, relayLines(name, `${address}:auto`)))];
  await Promise.allSettled(starting); // one that fails must not leave behind those that start a moment later
  await Promise.all(starting);
  return first;
}

/** What every tor of the network has in its torrc. */
function networkLines({ address, authority, voting }: Plan, orPort: number, dirPort: number): string[] {
  const ports = `orport=${orPort} no-v2 v3ident=${voting.identity.fingerprint} ${address}:${dirPort}`;
  return [
    "TestingTorNetwork 1",
    `DirAuthority ${authority.name} ${ports} ${authority.identity.fingerprint}`,
    "AssumeReachable 1",
    "PathsNeededToBuildCircuits 0.25",
    "FetchDirInfoEarly 1",
    "FetchDirInfoExtraEarly 1",
  ];
}

/** @param orPort `ADDRESS:PORT`, or `ADDRESS:auto` */
function relayLines(name: string, orPort: string): string[] {
  return [
    `Nickname ${name}`,
    `Address ${orPort.replace(/:.*/, "")}`,
    `ORPort ${orPort} IPv4Only`,
    "SocksPort 0",
    "ExitRelay 0",
    "ExitPolicy reject *:*",
  ];
}

/** Two ports that are free now. The authority's must be known before it starts: every torrc names them. */
async function freePorts(): Promise<[number, number]> {
  const servers = [net.createServer(), net.createServer()];
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(portOfServer(server)));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [first = 0, second = 0] = ports;
  return [first, second];
}

function portOfServer(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening server has no port");
  return address.port;
}

/** The port in tor's `net/listeners/socks="127.0.0.1:4711"`. */
export function portOf(listeners: string): number {
  const port = /127\.0\.0\.1:(\d+)/.exec(listeners)?.[1];
  if (port === undefined) throw new Error(`tor listens on no port of 127.0.0.1: ${listeners}`);
  return Number(port);
}

async function closeAll(running: TorProcess[]): Promise<void> {
  await Promise.all(running.splice(0).map((one) => one.close()));
}
