import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { authorityLines, voteNow, writeAuthorityKeys } from "./authority";
import { newTorIdentity, type TorIdentity } from "./identity";
import { startTor, type TorProcess } from "./process";

export interface TorNetworkOptions {
  /** A folder of the caller's, on any file system, with a short path (unix sockets); the caller removes it. */
  directory: string;
  /** @default "tor", from PATH */
  tor?: string;
  /** @default "tor-gencert", from PATH */
  gencert?: string;
  /** Milliseconds until it gives up. @default 90000 */
  deadlineMs?: number;
}

/** A private Tor network on loopback: a directory authority, four relays and a client. Nothing leaves the machine. */
export interface TorNetwork {
  tor: string;
  directory: string;
  client: { socksPort: number; process: TorProcess };
  /** The torrc lines by which any other tor joins this network. */
  onionServiceTorrc(): string[];
  /** Ends every tor of the network. May be called more than once. */
  close(): Promise<void>;
}

/** Three relays beside the authority work too, with less margin; fewer never do. */
const plainRelays = 4;
const portAttempts = 3;

interface Plan {
  relays: { name: string; directory: string; identity: TorIdentity }[];
  authorityIdentity: TorIdentity;
  signing: TorIdentity;
}

/** Starts the network; it is ready when this resolves (8 to 10 seconds on two cores). */
export async function startTorNetwork(options: TorNetworkOptions): Promise<TorNetwork> {
  const deadline = Date.now() + (options.deadlineMs ?? 90_000);
  const plan = await planNetwork(options.directory);
  for (let attempt = 1; ; attempt++) {
    const running: TorProcess[] = [];
    try {
      return await start(options, plan, running, deadline);
    } catch (error) {
      await closeAll(running);
      const portTaken = error instanceof Error && /Address already in use/.test(error.message);
      if (!portTaken || attempt === portAttempts) throw error;
    }
  }
}

async function planNetwork(directory: string): Promise<Plan> {
  const names = ["authority", ...Array.from({ length: plainRelays }, (_, index) => `relay${index + 1}`)];
  const [authorityIdentity, signing, ...identities] = await Promise.all([
    newTorIdentity(2048),
    newTorIdentity(2048),
    ...names.map(() => newTorIdentity(1024)),
  ]);
  const relays = identities.map((identity, index) => {
    const name = names[index] ?? "";
    const own = path.join(directory, name);
    fs.mkdirSync(path.join(own, "keys"), { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(own, "keys", "secret_id_key"), identity.pem, { mode: 0o600 });
    return { name, directory: own, identity };
  });
  return { relays, authorityIdentity, signing };
}

async function start(
  options: TorNetworkOptions,
  plan: Plan,
  running: TorProcess[],
  deadline: number,
): Promise<TorNetwork> {
  const { directory, tor = "tor", gencert = "tor-gencert" } = options;
  const [authority, ...others] = plan.relays;
  if (!authority) throw new Error("a tor network needs an authority");
  const [orPort, dirPort] = await freePorts();
  const network = networkLines(plan, authority.identity, orPort, dirPort);
  const launch = async (name: string, lines: string[]) => {
    const started = await startTor(tor, path.join(directory, name), [...network, ...lines]);
    running.push(started);
    return started;
  };
  const guards = others.map((relay) => relay.identity.fingerprint);
  const keys = path.join(authority.directory, "keys");
  await writeAuthorityKeys(gencert, keys, dirPort, plan.authorityIdentity, plan.signing);
  const [first] = await Promise.all([
    launch(authority.name, [...relayLines(authority.name, orPort), ...authorityLines(dirPort, guards)]),
    ...others.map((relay) => launch(relay.name, relayLines(relay.name, "auto"))),
  ]);
  const identities = plan.relays.map((relay) => relay.identity);
  await Promise.race([voteNow(first.control, identities, deadline), ...running.map((one) => one.exited)]);
  const client = await launch("client", ["SocksPort 127.0.0.1:auto"]);
  const socksPort = portOf(await client.control.ask("GETINFO net/listeners/socks"));
  return {
    tor,
    directory,
    client: { socksPort, process: client },
    onionServiceTorrc: () => [...network],
    close: () => closeAll(running),
  };
}

/** What every tor of the network has in its torrc. */
function networkLines(plan: Plan, authority: TorIdentity, orPort: number, dirPort: number): string[] {
  const identity = `v3ident=${plan.authorityIdentity.fingerprint}`;
  return [
    "TestingTorNetwork 1",
    `DirAuthority authority orport=${orPort} no-v2 ${identity} 127.0.0.1:${dirPort} ${authority.fingerprint}`,
    "AssumeReachable 1",
    "PathsNeededToBuildCircuits 0.25",
    "FetchDirInfoEarly 1",
    "FetchDirInfoExtraEarly 1",
  ];
}

function relayLines(name: string, orPort: number | "auto"): string[] {
  return [
    `Nickname ${name}`,
    "Address 127.0.0.1",
    `ORPort 127.0.0.1:${orPort} IPv4Only`,
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
function portOf(listeners: string): number {
  const port = /127\.0\.0\.1:(\d+)/.exec(listeners)?.[1];
  if (port === undefined) throw new Error(`tor listens on no port of 127.0.0.1: ${listeners}`);
  return Number(port);
}

async function closeAll(running: TorProcess[]): Promise<void> {
  await Promise.all(running.splice(0).map((one) => one.close()));
}
